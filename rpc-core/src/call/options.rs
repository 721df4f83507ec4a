use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;

use super::Criticality;
use crate::{Metadata, MetadataError};

/// What one caller wants of its calls; what it leaves open, the method's schema decides.
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
    pub(crate) wait_for_ready: bool,
    pub(crate) metadata: Metadata,
    pub(crate) criticality: Option<Criticality>,
    pub(crate) reply_metadata: Option<ReplyMetadata>,
}

impl CallOptions {
    /// All open.
    pub fn new() -> Self {
        Self::default()
    }

    /// Time that the call gets, all attempts together; less if the call around it has less left.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Waits until the deadline for a connection instead of failing as soon as there is none.
    #[must_use]
    pub fn wait_for_ready(mut self, wait: bool) -> Self {
        self.wait_for_ready = wait;
        self
    }

    /// Sends a key and a value beside the call.
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

    /// How much the call matters; inherited from the call around it when left open.
    #[must_use]
    pub fn criticality(mut self, criticality: Criticality) -> Self {
        self.criticality = Some(criticality);
        self
    }

    /// Leaves the metadata of the answer in `into`.
    #[must_use]
    pub fn reply_metadata(mut self, into: &ReplyMetadata) -> Self {
        self.reply_metadata = Some(into.clone());
        self
    }

    /// Whether calls wait for a connection.
    pub fn waits_for_ready(&self) -> bool {
        self.wait_for_ready
    }

    /// Where the metadata of the answer is wanted.
    pub fn wanted_reply_metadata(&self) -> Option<&ReplyMetadata> {
        self.reply_metadata.as_ref()
    }

    /// These options, with those that `other` sets instead.
    #[must_use]
    pub fn or(&self, other: Self) -> Self {
        let mut metadata = other.metadata;
        metadata.inherit(&self.metadata);
        Self {
            timeout: other.timeout.or(self.timeout),
            wait_for_ready: other.wait_for_ready || self.wait_for_ready,
            metadata,
            criticality: other.criticality.or(self.criticality),
            reply_metadata: other.reply_metadata.or_else(|| self.reply_metadata.clone()),
        }
    }
}

/// A place for the metadata of an answer, shared between the options of a call and whoever reads it after.
#[derive(Clone, Default)]
pub struct ReplyMetadata(Arc<Mutex<Metadata>>);

impl ReplyMetadata {
    /// An empty place.
    pub fn new() -> Self {
        Self::default()
    }

    /// What came with the last answer.
    pub fn get(&self) -> Metadata {
        self.0.lock().clone()
    }

    /// Leaves the metadata of an answer.
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
