//! The one text of a call whose deadline has passed: which method, where, for how long, and what the call waited for.

use std::{fmt, time::Duration};

use doge_rpc_core::{Context, Status, call::Request, transport::Address};
use tokio::time::Instant;

/// What a call waited for when its deadline passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitedFor {
    /// An instance that takes calls.
    Instance,
    /// A connection.
    Connection,
    /// Room on a connection.
    Room,
    /// One of the connections to a server of MessagePack-RPC, each of which carries one call at a time.
    FreeConnection {
        /// How many there may be.
        most: usize,
    },
    /// The answer. Only such a call may have run.
    Answer,
}

/// The status of a call that began then and whose deadline has passed.
pub(crate) fn late(
    request: &Request,
    address: Option<&Address>,
    waited_for: WaitedFor,
    began: Instant,
) -> Status {
    let deadline = request.deadline();
    let time = deadline.instant().saturating_duration_since(began);
    let at = At(address);
    let around = Context::current().filter(|around| around.deadline() <= deadline);
    let set_by = SetBy(around.as_ref());
    let why = format!(
        "{}{at}: no {waited_for} within {:?}{set_by}",
        request.route(),
        rounded(time)
    );
    let status = Status::deadline_exceeded(why);
    match waited_for {
        WaitedFor::Answer => status.may_have_run(),
        _ => status.not_sent(),
    }
}

/// The status of a call whose deadline had passed before anything of the call was sent.
pub(crate) fn expired(request: &Request, address: Option<&Address>) -> Status {
    let (route, at) = (request.route(), At(address));
    let why = format!("{route}{at}: the deadline had passed before the call was sent");
    Status::deadline_exceeded(why).not_sent()
}

/// The status of an attempt that was given up since it took longer than an attempt may.
pub(crate) fn attempt_took_too_long(
    request: &Request,
    address: Option<&Address>,
    limit: Duration,
) -> Status {
    let (route, at) = (request.route(), At(address));
    Status::deadline_exceeded(format!(
        "{route}{at}: no answer within {limit:?}, which is all that an attempt gets (Failover::attempt_timeout)"
    ))
}

impl fmt::Display for WaitedFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance => f.write_str("instance that takes calls"),
            Self::Connection => f.write_str("connection"),
            Self::Room => f.write_str("room on the connection"),
            Self::FreeConnection { most } => write!(
                f,
                "free connection of at most {most} (MsgpackRpcConfig::connections)"
            ),
            Self::Answer => f.write_str("answer"),
        }
    }
}

/// Where, if that is known.
struct At<'a>(Option<&'a Address>);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => write!(f, " at {address}"),
            None => Ok(()),
        }
    }
}

/// The call whose deadline it is, if that is the call around this call.
struct SetBy<'a>(Option<&'a Context>);

impl fmt::Display for SetBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(around) => write!(f, ", all that {} had left", around.route()),
            None => Ok(()),
        }
    }
}

/// Whole milliseconds; less than one as it is.
fn rounded(time: Duration) -> Duration {
    const MILLISECOND: Duration = Duration::from_millis(1);
    if time < MILLISECOND {
        return time;
    }
    Duration::from_millis(((time.as_micros() + 500) / 1000) as u64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use doge_rpc_core::{Context, Deadline, call::Route};
    use tokio::time::Instant;

    use super::{Request, WaitedFor, late};

    #[test]
    fn the_text_says_which_method_where_how_long_and_what_for() {
        let began = Instant::now();
        let deadline = Deadline::new(began, Duration::from_micros(299_700));
        let request = |service| {
            let route = Route::named(service, "get").unwrap();
            Request::new(route, Bytes::new(), deadline)
        };
        let address = "tcp://127.0.0.1:7000".parse().unwrap();
        let status = late(&request("b"), Some(&address), WaitedFor::Answer, began);
        let text = "b/get at tcp://127.0.0.1:7000: no answer within 300ms";
        assert_eq!((status.message(), status.never_ran()), (text, false));

        let inside = Context::of(&request("a"));
        let late = || late(&request("b"), None, WaitedFor::Room, began);
        let status = inside.sync_scope(late);
        let text = "b/get: no room on the connection within 300ms, all that a/get had left";
        assert_eq!((status.message(), status.never_ran()), (text, true));
    }
}
