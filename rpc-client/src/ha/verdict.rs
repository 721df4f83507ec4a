use doge_rpc_core::{Code, Status, call::Request};

/// What the failure of an attempt allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing: it is the result of the call.
    Final,
    /// It never ran, for the endpoint cannot be reached: another endpoint may have it, at no cost.
    Dead,
    /// It never ran, for the endpoint has too much to do: another endpoint may have it, as a retry.
    Refused,
    /// It may have run, which its method allows again: a retry.
    Broken,
}

impl Verdict {
    /// Of this status, for this call.
    pub(super) fn of(status: &Status, request: &Request) -> Self {
        match (status.code(), status.never_ran()) {
            (Code::Unavailable, true) => Self::Dead,
            // There was no connection in the part of its time that the endpoint was given.
            (Code::DeadlineExceeded, true) if !request.deadline().has_passed() => Self::Dead,
            (Code::ResourceExhausted, true) => Self::Refused,
            (Code::Unavailable, false) if request.route().idempotent() => Self::Broken,
            _ => Self::Final,
        }
    }
}
