//! What the end of an attempt means, for everyone who asks: may the call be made again, does the endpoint work, how long
//! does it take, is it worth waiting for another instance. Nothing else in this crate interprets a status.
//!
//! All tables read the same three things: the [`Code`], the [`Disposition`], and whether the status is
//! [passed on](Status::is_passed_on).

use std::time::Duration;

use doge_rpc_core::{
    Code, Disposition, Status,
    call::{Request, Response},
};

use crate::{balance::Sample, ha::Failover};

/// What may follow a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryDecision {
    /// Nothing, and an attempt that is still out is given up: the status holds wherever the call goes.
    Stop,
    /// No further attempt. An attempt that is still out may have an answer, which is better.
    StopUnlessHedged,
    /// Another endpoint, for free: this endpoint cannot be reached, or has no such method.
    TryOther,
    /// Another endpoint, as a retry: this endpoint has too much to do.
    RetryOther,
    /// Any endpoint, as a retry after a pause: the call may have run, which its method allows again.
    RetryWithBackoff,
}

impl RetryDecision {
    /// The decision after this status of this call.
    pub(crate) fn of(status: &Status, request: &Request, config: &Failover) -> Self {
        let idempotent = request.route().idempotent();
        Self::read(status, idempotent, config.retry_passed_on)
    }

    fn read(status: &Status, idempotent: bool, retry_passed_on: bool) -> Self {
        use Code as C;
        match (status.code(), status.disposition()) {
            (_, Disposition::EndedAfterItems) => Self::Stop,
            // An instance of an older version than others, or an address that belongs to another service by now.
            (C::Unavailable | C::Unimplemented, Disposition::Rejected | Disposition::NotSent) => {
                Self::TryOther
            }
            (C::ResourceExhausted, Disposition::Rejected | Disposition::NotSent) => {
                Self::RetryOther
            }
            // The instance works; what is behind it fails for all instances alike, and has its own clients that retry.
            (C::Unavailable, _) if status.is_passed_on() && !retry_passed_on => {
                Self::StopUnlessHedged
            }
            (C::Unavailable, _) if idempotent => Self::RetryWithBackoff,
            (
                C::InvalidArgument
                | C::NotFound
                | C::AlreadyExists
                | C::PermissionDenied
                | C::Unauthenticated
                | C::FailedPrecondition
                | C::Aborted
                | C::OutOfRange
                | C::Unimplemented,
                _,
            ) => Self::Stop,
            _ => Self::StopUnlessHedged,
        }
    }

    /// Whether no further attempt follows.
    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::Stop | Self::StopUnlessHedged)
    }
}

/// What an attempt tells of the health of its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HealthOutcome {
    /// The endpoint answered, be it with an error.
    Success,
    /// Nobody was there, no answer came in time, or the answer says that the endpoint does not work.
    Failure,
    /// Nothing: the endpoint is busy, the caller went away, or the failure is of a service further down.
    Neutral,
}

impl HealthOutcome {
    /// What an answer tells. A status about the call itself, such as `NotFound`, tells that the endpoint works, as does an
    /// error of the application. `Internal`, `Unknown` and `DataLoss` tell that it does not. That it has no such method is
    /// neutral: the caller may be newer than the whole service.
    ///
    /// A deadline that passed before the request was sent is neutral: it was spent here, waiting for room on a connection.
    /// When it was spent waiting for an endpoint that does not take connections, the attempt to connect fails too, and the
    /// next call finds the endpoint `Unavailable`.
    pub(crate) fn of(answer: &Result<Response, Status>) -> Self {
        let Err(status) = answer else {
            return Self::Success;
        };
        if status.is_passed_on() || status.disposition() == Disposition::Interrupted {
            return Self::Neutral;
        }
        match status.code() {
            Code::DeadlineExceeded | Code::Unimplemented if status.never_ran() => Self::Neutral,
            Code::ResourceExhausted | Code::Cancelled => Self::Neutral,
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Internal
            | Code::Unknown
            | Code::DataLoss => Self::Failure,
            _ => Self::Success,
        }
    }
}

/// What an answer tells the load balancer, over a connection that stands or is lost by now; `None` for nothing.
pub(crate) fn load_sample(
    answer: &Result<Response, Status>,
    is_connected: impl FnOnce() -> bool,
) -> Option<Sample> {
    let Err(status) = answer else {
        return Some(Sample::Answered);
    };
    match status.code() {
        // Answered quickly because something further down fails quickly, it must not draw more calls.
        _ if status.is_passed_on() => None,
        _ if status.disposition() == Disposition::Interrupted => None,
        // A connection that was lost has taken as long as it has, and the next connection is another.
        Code::Unavailable if !is_connected() => None,
        // It is of another version, or its address is somebody else's by now: others may have the method.
        Code::Unimplemented if status.never_ran() => Some(Sample::Failed),
        Code::ResourceExhausted => Some(match status.pushback() {
            Some(pushback) => Sample::Overloaded { pushback },
            None if status.never_ran() => Sample::Overloaded {
                pushback: Duration::ZERO,
            },
            // What ran into a limit of its own, such as a user's quota, says nothing about the endpoint.
            None => Sample::Answered,
        }),
        _ => match HealthOutcome::of(answer) {
            HealthOutcome::Success => Some(Sample::Answered),
            HealthOutcome::Failure => Some(Sample::Failed),
            HealthOutcome::Neutral => None,
        },
    }
}

/// Whether a call that ended with its connection may be sent again over the next connection of the channel.
pub(crate) fn may_resend(status: &Status) -> bool {
    status.code() == Code::Unavailable && status.never_ran()
}

/// Whether no instance took the call, so that a call which [waits for ready](Request::waits_for_ready) waits on.
pub(crate) fn is_unreachable(status: &Status) -> bool {
    status.code() == Code::Unavailable && status.never_ran()
}

/// Whether it is neither the handler nor the caller who ended the call, but what is between them: no instance, a lost
/// connection, a limit. A deadline that passed while a handler had the call says nothing of the sort.
pub(crate) fn is_failure_of_framework(status: &Status) -> bool {
    let is_ours = match (status.code(), status.disposition()) {
        (_, Disposition::Answered | Disposition::EndedAfterItems) => false,
        (Code::Unavailable | Code::ResourceExhausted, _) => true,
        (code, _) => code == Code::DeadlineExceeded && status.never_ran(),
    };
    is_ours && !status.is_passed_on()
}

/// Whether the server has no such method. A handler may refuse with the same code, and has run then.
pub(crate) fn has_no_such_method(status: &Status) -> bool {
    status.code() == Code::Unimplemented && status.never_ran()
}

/// Whether a connection that was lost under a call is a loss of the endpoint, and not of what carried the connection here.
pub(crate) fn is_loss_of_peer(status: &Status) -> bool {
    status.code() == Code::Unavailable && status.disposition() != Disposition::Interrupted
}

/// Whether an attempt says how long an answer takes, for the delay of a hedge: an answer, and a deadline that passed while
/// the call was out.
pub(crate) fn tells_latency(answer: &Result<Response, Status>) -> bool {
    match answer {
        Ok(_) => true,
        Err(status) => status.code() == Code::DeadlineExceeded && !status.never_ran(),
    }
}

/// How much a status tells, where a call has failed in more than one way: what a handler says of itself tells more than
/// that the time is over, that more than that an endpoint turned the call away or was lost, and that more than that it
/// could not be reached.
pub(crate) fn telling(status: &Status) -> u8 {
    match (status.code(), status.never_ran()) {
        (Code::Unavailable, true) => 0,
        (Code::Unavailable | Code::Cancelled, _) => 1,
        (Code::ResourceExhausted | Code::Unimplemented, true) => 1,
        (Code::DeadlineExceeded, _) => 2,
        _ => 3,
    }
}

/// The status of a call whose attempts failed in these two ways, the earlier one first; of two that tell as much, the
/// earlier.
pub(crate) fn more_telling(earlier: Status, later: Status) -> Status {
    if telling(&later) > telling(&earlier) {
        later
    } else {
        earlier
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fmt::Write as _};

    use doge_rpc_core::{Code, Disposition, Status};

    use super::{
        HealthOutcome, RetryDecision, has_no_such_method, is_unreachable, load_sample, may_resend,
        more_telling, telling, tells_latency,
    };

    /// Every combination of what the tables read, with what they say: combinations that mean the same share a line.
    fn rendered() -> String {
        let mut meanings: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for code in (1..=16).map(Code::from_u8) {
            for passed_on in [false, true] {
                for disposition in Disposition::ALL {
                    let status = Status::new(code, "")
                        .with_disposition(disposition)
                        .with_passed_on(passed_on);
                    let passed_on = if passed_on { ", passed on" } else { "" };
                    let codes = meanings.entry(meaning(&status)).or_default();
                    let dispositions = codes.entry(format!("{code:?}{passed_on}")).or_default();
                    dispositions.push(format!("{disposition:?}"));
                }
            }
        }
        let mut text = String::new();
        for (meaning, codes) in meanings {
            let _ = writeln!(text, "{meaning}");
            for (code, dispositions) in codes {
                let _ = writeln!(text, "    {code}: {}", dispositions.join(", "));
            }
        }
        text
    }

    fn meaning(status: &Status) -> String {
        let answer = || Err(status.clone());
        let retry = |idempotent, opted_in| RetryDecision::read(status, idempotent, opted_in);
        let mut flags = Vec::new();
        for (holds, flag) in [
            (may_resend(status), "resend"),
            (is_unreachable(status), "wait for ready"),
            (has_no_such_method(status), "no such method"),
            (tells_latency(&answer()), "latency"),
        ] {
            flags.extend(holds.then_some(flag));
        }
        format!(
            "retry {:?}, idempotent {:?}, opted in {:?}; health {:?}; load {:?}, connection lost {:?}; tells {}; [{}]",
            retry(false, false),
            retry(true, false),
            retry(true, true),
            HealthOutcome::of(&answer()),
            load_sample(&answer(), || true),
            load_sample(&answer(), || false),
            telling(status),
            flags.join(", "),
        )
    }

    #[test]
    fn every_combination_means_what_the_table_says() {
        let (rendered, expected) = (rendered(), include_str!("status_tables.txt"));
        assert!(
            rendered == expected,
            "the tables have changed; as they are now:\n{rendered}"
        );
    }

    #[test]
    fn the_more_telling_of_two_is_kept_and_of_equals_the_earlier() {
        let dead = Status::unavailable("dead").not_sent();
        let refused = Status::resource_exhausted("refused").rejected();
        let order = [
            &[dead][..],
            &[refused, Status::unavailable("lost"), Status::cancelled("")],
            &[Status::deadline_exceeded("late")],
            &[Status::internal("bug"), Status::resource_exhausted("mine")],
        ];
        for (less, group) in order.iter().enumerate() {
            for one in *group {
                for other in *group {
                    assert_eq!(&more_telling(one.clone(), other.clone()), one);
                }
                for other in order[less + 1..].iter().copied().flatten() {
                    assert_eq!(&more_telling(one.clone(), other.clone()), other);
                    assert_eq!(&more_telling(other.clone(), one.clone()), other);
                }
            }
        }
    }
}
