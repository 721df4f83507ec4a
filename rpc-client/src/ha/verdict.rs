use doge_rpc_core::{Code, Status, call::Request};

/// What the failure of an attempt allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing: it says what is the matter with the call, wherever it went. It is the result, at once.
    Final,
    /// No further attempt. But one that is out beside it may still have an answer, which is better.
    Last,
    /// It never ran, for the endpoint cannot be reached or has no such method: another endpoint may have it, at no
    /// cost.
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
            // An instance of an older version than others, or an address that belongs to another service by now.
            (Code::Unavailable | Code::Unimplemented, true) => Self::Dead,
            (Code::ResourceExhausted, true) => Self::Refused,
            (Code::Unavailable, false) if request.route().idempotent() => Self::Broken,
            (
                Code::InvalidArgument
                | Code::NotFound
                | Code::AlreadyExists
                | Code::PermissionDenied
                | Code::Unauthenticated
                | Code::FailedPrecondition
                | Code::Aborted
                | Code::OutOfRange
                | Code::Unimplemented,
                _,
            ) => Self::Final,
            _ => Self::Last,
        }
    }

    /// Whether no further attempt follows.
    pub(super) fn ends(self) -> bool {
        matches!(self, Self::Final | Self::Last)
    }
}

/// The status of a call whose attempts failed in these two ways, the earlier one first: what a handler says of itself
/// tells more than that the time is over, that more than that an endpoint turned the call away or was lost, and that
/// more than that it could not be reached. Of two that tell as much, the earlier.
pub(super) fn more_telling(earlier: Status, later: Status) -> Status {
    if tells(&later) > tells(&earlier) {
        later
    } else {
        earlier
    }
}

/// How much a status tells.
pub(super) fn tells(status: &Status) -> u8 {
    match (status.code(), status.never_ran()) {
        (Code::Unavailable, true) => 0,
        (Code::Unavailable | Code::Cancelled, _) => 1,
        (Code::ResourceExhausted | Code::Unimplemented, true) => 1,
        (Code::DeadlineExceeded, _) => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use doge_rpc_core::{
        Code, Deadline, Status,
        call::{Request, Route},
        schema::MethodSchema,
    };

    use super::{Verdict, more_telling};

    fn request(method: &'static MethodSchema, timeout: Duration) -> Request {
        Request::new(Route::from(method), Bytes::new(), Deadline::after(timeout))
    }

    #[test]
    fn a_verdict_for_each_code_and_method() {
        static GET: MethodSchema = MethodSchema::new("fake", "get", 0).with_idempotent();
        static ADD: MethodSchema = MethodSchema::new("fake", "add", 1);
        let calls = [&ADD, &GET].map(|method| request(method, Duration::from_secs(60)));
        for code in (0..=17).map(Code::from_u8) {
            let status = Status::new(code, "");
            let ran = calls.each_ref().map(|call| Verdict::of(&status, call));
            let status = status.with_never_ran(true);
            let never_ran = calls.each_ref().map(|call| Verdict::of(&status, call));
            let expected = match code {
                Code::Unavailable => ([Verdict::Last, Verdict::Broken], Verdict::Dead),
                Code::Unimplemented => ([Verdict::Final; 2], Verdict::Dead),
                Code::ResourceExhausted => ([Verdict::Last; 2], Verdict::Refused),
                Code::DeadlineExceeded
                | Code::Cancelled
                | Code::Internal
                | Code::Unknown
                | Code::DataLoss
                | Code::Ok => ([Verdict::Last; 2], Verdict::Last),
                _ => ([Verdict::Final; 2], Verdict::Final),
            };
            assert_eq!((ran, never_ran), (expected.0, [expected.1; 2]), "{code:?}");
        }
    }

    #[test]
    fn the_more_telling_of_two_is_kept_and_of_equals_the_earlier() {
        let dead = Status::unavailable("dead").with_never_ran(true);
        let refused = Status::resource_exhausted("refused").with_never_ran(true);
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
