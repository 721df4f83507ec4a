use std::fmt;

use doge_rpc_core::Status;
use tokio::time::Instant;

/// Why a call is not let through.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refusal {
    /// No token before then.
    Rate(Instant),
    /// Too many calls in flight.
    Concurrency,
    /// So many callers wait already; a token for one more comes then, if that is known.
    Queue(usize, Option<Instant>),
    /// It may not wait as long as until then, when its token comes.
    InVain(Instant),
    /// It has waited as long as it may.
    Waited,
}

impl Refusal {
    /// What the caller is told; `name` is what the limits are of, `limits` are those that it met.
    #[cold]
    pub(super) fn status(self, name: &str, limits: impl fmt::Display) -> Status {
        let now = Instant::now();
        let room_in = |at: Instant| at.saturating_duration_since(now);
        let (why, mend) = match self {
            Self::Rate(_) => (String::new(), "rate, burst or wait"),
            Self::Concurrency => (String::new(), "concurrency or wait"),
            Self::Queue(callers, _) => (format!(", and {callers} wait already"), "wait"),
            Self::InVain(at) => (
                format!(
                    ", and its turn in {:?} is later than it may wait",
                    room_in(at)
                ),
                "wait or the deadline",
            ),
            Self::Waited => (
                ", and its turn did not come in time".into(),
                "wait or the deadline",
            ),
        };
        let status = Status::resource_exhausted(format!(
            "{name}: the client's limit on calls, {limits}, is reached{why}; to raise it, see CallLimits ({mend})"
        ))
        .not_sent();
        match self.room_at() {
            Some(at) => status.with_pushback(room_in(at)),
            None => status,
        }
    }

    /// When there is room, if that is known.
    fn room_at(self) -> Option<Instant> {
        match self {
            Self::Rate(at) | Self::InVain(at) => Some(at),
            Self::Queue(_, at) => at,
            Self::Concurrency | Self::Waited => None,
        }
    }
}
