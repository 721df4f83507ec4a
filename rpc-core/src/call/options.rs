use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;

use tokio::time::Instant;

use super::{Context, Criticality, Request, Route};
use crate::{Deadline, Metadata, MetadataError, schema::MethodSchema};

/// Options of a caller for its calls. The method's schema decides what is not set.
///
/// ```
/// use std::time::Duration;
/// use doge_rpc_core::call::CallOptions;
///
/// let options = CallOptions::new().timeout(Duration::from_millis(300)).metadata("tenant", "acme")?;
/// # Ok::<(), doge_rpc_core::MetadataError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    pub(crate) timeout: Option<Duration>,
    pub(crate) wait_for_ready: Option<bool>,
    pub(crate) metadata: Metadata,
    pub(crate) criticality: Option<Criticality>,
    pub(crate) reply_metadata: Option<ReplyMetadata>,
    pub(crate) forward_credentials: Option<bool>,
}

impl CallOptions {
    /// No option set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the timeout of the call, all attempts included. An earlier deadline of the surrounding call wins.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Waits for a connection until the deadline, instead of failing at once without one.
    #[must_use]
    pub fn wait_for_ready(mut self, wait: bool) -> Self {
        self.wait_for_ready = Some(wait);
        self
    }

    /// Adds an entry to the metadata of the call.
    ///
    /// # Errors
    ///
    /// As [`Metadata::insert`].
    pub fn metadata(
        mut self,
        key: impl AsRef<str>,
        value: impl Into<Bytes>,
    ) -> Result<Self, MetadataError> {
        self.metadata.insert(key, value)?;
        Ok(self)
    }

    /// Sends credentials with the call, such as `Bearer <token>`, in the key `authorization`. The called service does
    /// not pass them on.
    ///
    /// # Errors
    ///
    /// As [`Metadata::insert`].
    pub fn credentials(self, credentials: impl Into<Bytes>) -> Result<Self, MetadataError> {
        self.metadata("authorization", credentials)
    }

    /// Forwards the credentials of the surrounding call ([`CREDENTIAL_KEYS`](crate::CREDENTIAL_KEYS)), so that the
    /// called service acts for the same user. Off by default.
    ///
    /// ```
    /// use doge_rpc_core::call::CallOptions;
    ///
    /// let on_behalf_of_the_user = CallOptions::new().forward_credentials(true);
    /// ```
    #[must_use]
    pub fn forward_credentials(mut self, forward: bool) -> Self {
        self.forward_credentials = Some(forward);
        self
    }

    /// Sets the criticality of the call. By default the call inherits that of the surrounding call.
    #[must_use]
    pub fn criticality(mut self, criticality: Criticality) -> Self {
        self.criticality = Some(criticality);
        self
    }

    /// Stores the metadata of the answer in `into`.
    #[must_use]
    pub fn reply_metadata(mut self, into: &ReplyMetadata) -> Self {
        self.reply_metadata = Some(into.clone());
        self
    }

    /// The place for the metadata of the answer, if set.
    pub fn wanted_reply_metadata(&self) -> Option<&ReplyMetadata> {
        self.reply_metadata.as_ref()
    }

    /// Creates the request of a call with these options. It inherits metadata, extensions, criticality and the retry
    /// mark of the surrounding call, and has the earlier of both deadlines.
    pub fn request(&self, route: Route, arguments: Bytes, now: Instant) -> Request {
        let timeout = self
            .timeout
            .or_else(|| route.schema().and_then(MethodSchema::timeout))
            .unwrap_or(Deadline::DEFAULT_TIMEOUT);
        let mut request = Request::new(route, arguments, Deadline::new(now, timeout));
        request.wait_for_ready = self.wait_for_ready.unwrap_or(false);
        request.metadata_mut().clone_from(&self.metadata);
        Context::with_current(|around| self.inherit(&mut request, around));
        if let Some(criticality) = self.criticality {
            request.attempt_mut().criticality = criticality;
        }
        request
    }

    fn inherit(&self, request: &mut Request, around: &Context) {
        request.shorten_deadline(around.deadline());
        request
            .metadata_mut()
            .inherit(&around.metadata().passed_on());
        if self.forward_credentials == Some(true) {
            let credentials = around.metadata().credentials();
            request.metadata_mut().inherit(&credentials);
        }
        request.extensions_mut().inherit(around.extensions());
        let attempt = around.attempt();
        request.attempt_mut().retry = attempt.retry;
        request.attempt_mut().criticality = attempt.criticality;
    }

    /// Merges two sets of options; `over` wins, also for equal keys of metadata.
    #[must_use]
    pub fn overridden_by(&self, over: Self) -> Self {
        let mut metadata = over.metadata;
        metadata.inherit(&self.metadata);
        Self {
            timeout: over.timeout.or(self.timeout),
            wait_for_ready: over.wait_for_ready.or(self.wait_for_ready),
            metadata,
            criticality: over.criticality.or(self.criticality),
            reply_metadata: over.reply_metadata.or_else(|| self.reply_metadata.clone()),
            forward_credentials: over.forward_credentials.or(self.forward_credentials),
        }
    }
}

/// A place for the metadata of an answer, shared between the options of a call and the code that reads it afterwards.
///
/// ```
/// use doge_rpc_core::call::{CallOptions, ReplyMetadata};
///
/// let reply = ReplyMetadata::new();
/// let options = CallOptions::new().reply_metadata(&reply);
/// // After a call with these options:
/// assert_eq!(reply.get().get_str("served-by"), None);
/// ```
#[derive(Clone, Default)]
pub struct ReplyMetadata(Arc<Mutex<Metadata>>);

impl ReplyMetadata {
    /// An empty place.
    pub fn new() -> Self {
        Self::default()
    }

    /// The metadata of the last answer.
    pub fn get(&self) -> Metadata {
        self.0.lock().clone()
    }

    /// Stores the metadata of an answer.
    pub fn set(&self, metadata: Metadata) {
        *self.0.lock() = metadata;
    }
}

impl fmt::Debug for ReplyMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReplyMetadata")
            .field(&*self.0.lock())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::CallOptions;

    #[test]
    fn what_is_said_later_counts_and_what_is_not_said_stays() {
        let base = CallOptions::new()
            .timeout(Duration::from_secs(2))
            .wait_for_ready(true);
        let base = base.metadata("a", "1").unwrap().metadata("b", "1").unwrap();
        let over = CallOptions::new()
            .wait_for_ready(false)
            .metadata("b", "2")
            .unwrap();
        let both = base.overridden_by(over);
        assert_eq!(both.timeout, Some(Duration::from_secs(2)));
        assert_eq!(both.wait_for_ready, Some(false));
        assert_eq!(both.metadata.get_str("a"), Some("1"));
        assert_eq!(both.metadata.get_str("b"), Some("2"));
    }
}
