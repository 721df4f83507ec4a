//! What the framework itself has to say about a call: a code, a message, and whether the call can have run.

mod code;
mod serde;

use std::{borrow::Cow, fmt, time::Duration};

use bytes::Bytes;

pub use self::code::Code;
use crate::Metadata;

/// Why a call has no answer of its own.
///
/// The codes are gRPC's. What gRPC does not tell is whether the handler can have run; a `Status` does, with
/// [`never_ran`](Self::never_ran), and only such a call is safe to send again when its method is not idempotent.
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
#[derive(Clone, PartialEq, Eq)]
pub struct Status(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    code: Code,
    never_ran: bool,
    pushback: Option<Duration>,
    message: Cow<'static, str>,
    details: Bytes,
    metadata: Metadata,
}

impl Status {
    /// A status of this code, for a call that may have run.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            never_ran: false,
            pushback: None,
            message: message.into(),
            details: Bytes::new(),
            metadata: Metadata::new(),
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

    /// Whether the call provably never reached its handler, so that sending it again cannot run it twice.
    pub fn never_ran(&self) -> bool {
        self.0.never_ran
    }

    /// How long an overloaded peer asks callers to stay away.
    pub fn pushback(&self) -> Option<Duration> {
        self.0.pushback
    }

    /// Keys and values that came beside it.
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    /// Adds keys and values beside it, instead of those it has.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.0.metadata = metadata;
        self
    }

    /// Says that the call never reached its handler.
    #[must_use]
    pub fn with_never_ran(mut self, never_ran: bool) -> Self {
        self.0.never_ran = never_ran;
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
}

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
        debug.field("never_ran", &self.never_ran());
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
