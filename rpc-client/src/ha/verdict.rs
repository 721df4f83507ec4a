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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use doge_rpc_core::{
        Code, Deadline, Status,
        call::{Request, Route},
        schema::MethodSchema,
    };

    use super::Verdict;

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
                Code::Unavailable => ([Verdict::Final, Verdict::Broken], Verdict::Dead),
                Code::DeadlineExceeded => ([Verdict::Final; 2], Verdict::Dead),
                Code::ResourceExhausted => ([Verdict::Final; 2], Verdict::Refused),
                _ => ([Verdict::Final; 2], Verdict::Final),
            };
            assert_eq!((ran, never_ran), (expected.0, [expected.1; 2]), "{code:?}");
        }
        let late = Status::deadline_exceeded("").with_never_ran(true);
        assert_eq!(
            Verdict::of(&late, &request(&GET, Duration::ZERO)),
            Verdict::Final
        );
    }
}
