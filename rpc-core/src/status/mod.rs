//! What the framework itself has to say about a call: a code, a message, and how far the call came.

mod capture;
mod code;
mod disposition;
mod serde;

use std::{borrow::Cow, fmt, time::Duration};

use bytes::Bytes;

pub(crate) use self::capture::{capture, receive};
pub use self::{code::Code, disposition::Disposition};
use crate::{Metadata, call::Route};

/// Why a call has no answer of its own.
///
/// The codes are gRPC's. What gRPC does not tell is how far the call came; a `Status` does, with its
/// [`disposition`](Self::disposition), and only a call that [never ran](Self::never_ran) is safe to send again when its
/// method is not idempotent.
///
/// A handler that returns the status of a call that it made itself only passes the status on. The caller sees the same
/// code, and does not hold the failure against the instance that passed it on
/// ([`is_passed_on`](Self::is_passed_on)). Metadata, details and pushback of the inner status stay behind, as they were
/// meant for the handler, unless the handler [forwards](Self::forward) them.
///
/// One pointer in size, so that a `Result` which carries it stays small.
///
/// ```
/// use doge_rpc_core::{Code, Status};
///
/// let status = Status::not_found("no employee 7");
/// assert_eq!(status.code(), Code::NotFound);
/// assert_eq!(status.to_string(), "not found: no employee 7");
/// ```
#[derive(Clone)]
pub struct Status(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    disposition: Disposition,
    passed_on: bool,
    forwarded: bool,
    pushback: Option<Duration>,
    message: Cow<'static, str>,
    details: Bytes,
    metadata: Metadata,
    /// The method whose call came back with this status, in the process that made the call.
    received_from: Option<Route>,
}

impl Status {
    /// A status of this code, as a handler or a layer makes one: the call counts as [answered](Disposition::Answered),
    /// unless the status is that of a server layer which did not call the handler; the server marks it as
    /// [rejected](Disposition::Rejected).
    /// [`Code::Ok`] is no error, and becomes [`Code::Unknown`].
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        let code = match code {
            Code::Ok => Code::Unknown,
            code => code,
        };
        Self(Box::new(Inner {
            code,
            disposition: Disposition::Answered,
            passed_on: false,
            forwarded: false,
            pushback: None,
            message: message.into(),
            details: Bytes::new(),
            metadata: Metadata::new(),
            received_from: None,
        }))
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What went wrong, for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Machine-readable particulars, as the service that failed encoded them; empty when there are none.
    pub fn details(&self) -> &Bytes {
        &self.0.details
    }

    /// How far the call came.
    pub fn disposition(&self) -> Disposition {
        self.0.disposition
    }

    /// Whether the call provably never reached its handler, so that sending it again cannot run it twice.
    pub fn never_ran(&self) -> bool {
        self.0.disposition.never_ran()
    }

    /// Whether the service that was called only hands on what a service further down said.
    pub fn is_passed_on(&self) -> bool {
        self.0.passed_on
    }

    /// How long an overloaded peer asks callers to stay away.
    pub fn pushback(&self) -> Option<Duration> {
        self.0.pushback
    }

    /// Keys and values that came beside it.
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    pub(crate) fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.0.metadata
    }

    /// Adds keys and values beside it, instead of those it has.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.0.metadata = metadata;
        self
    }

    /// Says how far the call came.
    #[must_use]
    pub fn with_disposition(mut self, disposition: Disposition) -> Self {
        self.0.disposition = disposition;
        self
    }

    /// Says that the call was refused before it reached a handler.
    #[must_use]
    pub fn rejected(self) -> Self {
        self.with_disposition(Disposition::Rejected)
    }

    /// Says that the call never left this process.
    #[must_use]
    pub fn not_sent(self) -> Self {
        self.with_disposition(Disposition::NotSent)
    }

    /// Says that nobody knows whether the call has run.
    #[must_use]
    pub fn may_have_run(self) -> Self {
        self.with_disposition(Disposition::MayHaveRun)
    }

    /// Says whether the status is passed on from a service further down.
    #[must_use]
    pub fn with_passed_on(mut self, passed_on: bool) -> Self {
        self.0.passed_on = passed_on;
        self
    }

    /// Lets metadata, details and pushback of a status that another service returned go on to the caller of the handler
    /// that returns it; without this, they stay behind.
    ///
    /// ```
    /// use doge_rpc_core::Status;
    ///
    /// async fn get(inner: impl Future<Output = Result<u32, Status>>) -> Result<u32, Status> {
    ///     inner.await.map_err(Status::forward)
    /// }
    /// ```
    #[must_use]
    pub fn forward(mut self) -> Self {
        self.0.forwarded = true;
        self
    }

    /// Notes that a call of this method came back with the status, so that a handler that returns the status passes it
    /// on. Clients do so.
    #[must_use]
    pub fn received_from(mut self, route: &Route) -> Self {
        self.0.received_from = Some(route.clone());
        // Whoever received it says so anew.
        self.0.forwarded = false;
        self
    }

    /// Adds machine-readable particulars.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<Bytes>) -> Self {
        self.0.details = details.into();
        self
    }

    /// Asks callers to stay away for this long; sent with millisecond precision, rounded up. A cluster obeys up to five
    /// minutes.
    #[must_use]
    pub fn with_pushback(mut self, pushback: Duration) -> Self {
        self.0.pushback = Some(pushback);
        self
    }

    /// Puts what was being done in front of the message: `reading the answer: invalid type`.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.0.message = format!("{doing}: {}", self.0.message).into();
        self
    }

    /// Whether a call that was made in this process came back with the status.
    #[inline]
    pub(crate) fn is_received(&self) -> bool {
        self.0.received_from.is_some()
    }

    /// The status as the answer of the handler that returned it: the handler has run, and what it received from another
    /// service it passes on.
    pub(crate) fn returned_by_handler(mut self) -> Self {
        self.0.disposition = Disposition::Answered;
        let Some(from) = self.0.received_from.take() else {
            self.0.passed_on = false;
            return self;
        };
        self.0.passed_on = true;
        if !std::mem::take(&mut self.0.forwarded) {
            self.0.metadata = Metadata::new();
            self.0.details = Bytes::new();
            self.0.pushback = None;
        }
        let from = from.to_string();
        if self.message().starts_with(&from) {
            self
        } else {
            self.context(from)
        }
    }
}

/// Two statuses are equal when a caller cannot tell them apart.
impl PartialEq for Status {
    fn eq(&self, other: &Self) -> bool {
        let parts = |status: &Self| {
            let Inner {
                code,
                disposition,
                passed_on,
                pushback,
                ..
            } = *status.0;
            (code, disposition, passed_on, pushback)
        };
        parts(self) == parts(other)
            && self.0.message == other.0.message
            && self.0.details == other.0.details
            && self.0.metadata == other.0.metadata
    }
}

impl Eq for Status {}

/// Constructors, one for each code that is an error.
macro_rules! constructors {
    ($($name:ident => $code:ident, $doc:literal;)*) => {
        impl Status {
            $(
                #[doc = $doc]
                pub fn $name(message: impl Into<Cow<'static, str>>) -> Self {
                    Self::new(Code::$code, message)
                }
            )*
        }
    };
}

constructors! {
    cancelled => Cancelled, "The caller gave the call up.";
    unknown => Unknown, "Something failed that says no more about itself.";
    invalid_argument => InvalidArgument, "The arguments are wrong whatever the state of the service.";
    deadline_exceeded => DeadlineExceeded, "The deadline passed before there was an answer.";
    not_found => NotFound, "What was asked for does not exist.";
    already_exists => AlreadyExists, "What was to be made exists.";
    permission_denied => PermissionDenied, "The caller is known and may not do this.";
    resource_exhausted => ResourceExhausted, "A limit was reached; another instance may still have room.";
    failed_precondition => FailedPrecondition, "The service is not in the state that this call needs.";
    aborted => Aborted, "A conflict with another call; a higher level may try again.";
    out_of_range => OutOfRange, "Past the valid range.";
    unimplemented => Unimplemented, "No such service or method here.";
    internal => Internal, "An invariant of the service is broken.";
    unavailable => Unavailable, "The service cannot be reached now.";
    data_loss => DataLoss, "Data is lost or corrupt beyond repair.";
    unauthenticated => Unauthenticated, "The caller has not said who it is.";
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code())?;
        if !self.message().is_empty() {
            write!(f, ": {}", self.message())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Status");
        debug.field("code", &self.code());
        debug.field("message", &self.message());
        debug.field("disposition", &self.disposition());
        if self.is_passed_on() {
            debug.field("passed_on", &true);
        }
        if let Some(pushback) = self.pushback() {
            debug.field("pushback", &pushback);
        }
        if !self.details().is_empty() {
            debug.field("details", self.details());
        }
        debug.finish()
    }
}

impl std::error::Error for Status {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Code, Disposition, Metadata, Status};
    use crate::call::Route;

    fn full() -> Status {
        let mut metadata = Metadata::new();
        metadata.insert("db-token", "secret").unwrap();
        Status::unavailable("select * from salaries")
            .with_details(&b"\x07"[..])
            .with_pushback(Duration::from_secs(1))
            .with_metadata(metadata)
    }

    #[test]
    fn a_status_that_was_received_is_passed_on_without_what_was_meant_for_the_handler() {
        let route = Route::named("hr.employee", "get").unwrap();
        let own = full().returned_by_handler();
        assert_eq!(own, full());

        let received = full().rejected().received_from(&route);
        let passed_on = received.clone().returned_by_handler();
        let text = "hr.employee/get: select * from salaries";
        let expected = Status::unavailable(text).with_passed_on(true);
        assert_eq!(passed_on, expected);

        let forwarded = received.forward().returned_by_handler();
        let expected = full().context(&route).with_passed_on(true);
        assert_eq!(forwarded, expected);
        assert_eq!(forwarded.disposition(), Disposition::Answered);
    }

    #[test]
    fn whoever_receives_a_status_says_anew_that_it_is_forwarded() {
        let route = Route::named("hr.employee", "get").unwrap();
        let inner = full().forward().returned_by_handler();
        let outer = inner.received_from(&route).returned_by_handler();
        assert!(outer.metadata().is_empty() && outer.pushback().is_none());
    }

    #[test]
    fn the_code_that_is_no_error_is_unknown() {
        assert_eq!(Status::new(Code::Ok, "fine"), Status::unknown("fine"));
    }

    #[test]
    fn each_hop_is_named_once() {
        let route = |service| Route::named(service, "get").unwrap();
        let far = Status::unavailable("c/get at tcp://c:1: no answer within 300ms");
        let second = far.received_from(&route("c")).returned_by_handler();
        let first = second.received_from(&route("b")).returned_by_handler();
        let text = "b/get: c/get at tcp://c:1: no answer within 300ms";
        assert_eq!(first.message(), text);
    }
}
