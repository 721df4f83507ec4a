use std::{borrow::Cow, cell::RefCell, fmt};

use super::{Context, Route};
use crate::{Code, Status};

/// Why a call is stopped before its answer: the reason, and where it comes from. The cancellation travels with the
/// cancel frame, so that a service three hops away can report what happened at the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    reason: CancelReason,
    text: Cow<'static, str>,
}

/// The reason of a [`Cancellation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum CancelReason {
    /// The caller dropped the call.
    CallerGone = 0,
    /// The deadline passed.
    Deadline = 1,
    /// Another attempt of the same call answered first.
    HedgeLost = 2,
    /// The attempt took too long, and another attempt takes its place.
    AttemptTimeout = 3,
    /// The connection to the caller was lost or closed.
    ConnectionLost = 4,
    /// The server stopped before the call was over.
    Shutdown = 5,
}

/// The longest text in a cancel frame, in bytes.
pub(crate) const MAX_CANCEL_TEXT: usize = 255;

thread_local! {
    /// The cancellation of calls that are dropped on this thread now.
    static CURRENT: RefCell<Option<Cancellation>> = const { RefCell::new(None) };
}

impl CancelReason {
    /// The reason with this number; [`CallerGone`](Self::CallerGone) for an unknown number.
    pub(crate) fn from_u8(number: u8) -> Self {
        match number {
            1 => Self::Deadline,
            2 => Self::HedgeLost,
            3 => Self::AttemptTimeout,
            4 => Self::ConnectionLost,
            5 => Self::Shutdown,
            _ => Self::CallerGone,
        }
    }
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CallerGone => "the caller gave the call up",
            Self::Deadline => "the deadline passed",
            Self::HedgeLost => "another attempt answered first",
            Self::AttemptTimeout => "the attempt took too long",
            Self::ConnectionLost => "the connection to the caller was lost",
            Self::Shutdown => "the server stopped",
        })
    }
}

impl Cancellation {
    /// A cancellation for this reason, with details: who, where, what happened before.
    pub fn new(reason: CancelReason, text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        Self { reason, text }
    }

    /// A cancellation without details.
    pub const fn bare(reason: CancelReason) -> Self {
        Self {
            reason,
            text: Cow::Borrowed(""),
        }
    }

    /// The cancellation of a call that is dropped now: the reason, and the handler that made the call.
    pub fn of_dropped_call() -> Self {
        let Self { reason, text } = Self::current();
        let handler = Context::with_current(|context| match &*text {
            "" => context.route().to_string(),
            text => format!("{}: {text}", context.route()),
        });
        Self {
            reason,
            text: handler.map_or(text, Cow::Owned),
        }
    }

    /// The reason.
    pub fn reason(&self) -> CancelReason {
        self.reason
    }

    /// The details; empty if there are none.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Runs a function. Calls that the function drops are cancelled with this cancellation.
    pub fn scope<R>(&self, run: impl FnOnce() -> R) -> R {
        let before = CURRENT.replace(Some(self.clone()));
        let _restore = Restore(before);
        run()
    }

    /// The cancellation of calls that are dropped now: of the innermost [`scope`](Self::scope), or else
    /// [`CallerGone`](CancelReason::CallerGone).
    pub fn current() -> Self {
        CURRENT
            .with_borrow(Clone::clone)
            .unwrap_or(Self::bare(CancelReason::CallerGone))
    }

    /// The code with which the cancelled call ends.
    pub fn code(&self) -> Code {
        match self.reason {
            CancelReason::Deadline => Code::DeadlineExceeded,
            _ => Code::Cancelled,
        }
    }

    /// The status of the cancelled call of this method.
    pub fn status(&self, route: &Route) -> Status {
        Status::new(self.code(), format!("{route} was stopped: {self}")).may_have_run()
    }
}

/// The reason, followed by the details in brackets.
impl fmt::Display for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)?;
        if !self.text.is_empty() {
            write!(f, " ({})", self.text)?;
        }
        Ok(())
    }
}

struct Restore(Option<Cancellation>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

#[cfg(test)]
mod tests {
    use super::{CancelReason, Cancellation};

    #[test]
    fn what_is_dropped_in_a_scope_knows_why_and_the_scope_around_it_comes_back() {
        let outer = Cancellation::new(CancelReason::Shutdown, "");
        let inner = Cancellation::new(CancelReason::HedgeLost, "at tcp://a:1");
        assert_eq!(Cancellation::current().reason(), CancelReason::CallerGone);
        outer.scope(|| {
            inner.scope(|| assert_eq!(Cancellation::current(), inner));
            assert_eq!(Cancellation::current(), outer);
        });
        assert_eq!(Cancellation::current().reason(), CancelReason::CallerGone);
    }

    #[test]
    fn a_reason_is_its_number_and_strangers_are_a_caller_that_is_gone() {
        for reason in (0..=5).map(CancelReason::from_u8) {
            assert_eq!(CancelReason::from_u8(reason as u8), reason);
        }
        assert_eq!(CancelReason::from_u8(6), CancelReason::CallerGone);
    }
}
