use doge_rpc_core::{Code, Status, call::Response};

/// What an attempt tells of the endpoint it went to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The endpoint answered, be it with an error.
    Success,
    /// Nobody was there, no answer came in time, or what came says that the endpoint does not work.
    Failure,
    /// Nothing about its health: it is busy, or the caller went away.
    Neutral,
}

/// What the answer to an attempt tells of its endpoint.
///
/// A status about the call itself, such as `NotFound`, tells that the endpoint works, as does an error of the
/// application. `Internal`, `Unknown` and `DataLoss` tell that it does not. That it has no such method is neutral: the
/// caller may be newer than the whole service.
///
/// A deadline that passed before the request was sent is neutral: it was spent here, waiting for room on a connection.
/// When it was spent waiting for an endpoint that does not take connections, the attempt to connect fails too, and the
/// next call finds the endpoint `Unavailable`.
pub(crate) fn judge(answer: &Result<Response, Status>) -> Outcome {
    let Err(status) = answer else {
        return Outcome::Success;
    };
    match status.code() {
        Code::DeadlineExceeded if status.never_ran() => Outcome::Neutral,
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Internal
        | Code::Unknown
        | Code::DataLoss => Outcome::Failure,
        Code::Unimplemented if status.never_ran() => Outcome::Neutral,
        Code::ResourceExhausted | Code::Cancelled => Outcome::Neutral,
        _ => Outcome::Success,
    }
}
