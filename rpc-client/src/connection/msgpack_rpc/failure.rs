use std::{fmt, io};

use doge_rpc_core::{Status, call::Request, transport::Address};

use crate::connection::interrupted;

/// Why a connection brought no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The request cannot be written. Nothing of it was, and the connection is as good as before.
    Refused(Status),
    /// The connection was lost before anything of the request was written.
    Unsent(io::Error),
    /// It was lost after that.
    Lost(io::Error),
    /// It was lost after that, with the runtime that it was made on.
    Interrupted(io::Error),
    /// The server hung up.
    HungUp,
    /// What came is no answer to this request.
    OutOfStep(String),
    /// The answer is larger than so many bytes.
    TooLarge(usize),
    /// The answer is over a limit for values, for this reason. The connection is as good as before.
    OverLimit(String),
}

impl Failure {
    /// What the caller is told.
    pub(super) fn into_status(self, address: &Address, request: &Request) -> Status {
        let route = request.route();
        match self {
            Self::Refused(status) => status,
            Self::Unsent(error) => {
                Status::unavailable(format!("connection to {address}: {error}")).not_sent()
            }
            Self::Lost(error) => Status::unavailable(format!("connection to {address}: {error}")),
            Self::Interrupted(_) => interrupted().context(format_args!("connection to {address}")),
            // All that Python doge has to say in each of these cases.
            Self::HungUp => Status::unavailable(format!(
                "{address} hung up instead of answering {method:?}: it has no such method, or does not let others call \
                 it (as doge does with names that begin with an underscore), or could not read the arguments or write \
                 the result, or it has ended",
                method = route.method(),
            )),
            Self::OutOfStep(why) => Status::unavailable(format!(
                "connection to {address}: what came instead of the answer of {route} makes no sense: {why}"
            )),
            Self::TooLarge(limit) => Status::resource_exhausted(format!(
                "the answer of {route} at {address} is larger than the {limit} bytes that are taken; \
                 MsgpackRpcConfig::max_message lets larger ones in"
            )),
            Self::OverLimit(why) => Status::resource_exhausted(format!(
                "the answer of {route} at {address} cannot be taken: {why}"
            )),
        }
    }

    /// Whether it is the connection that broke, and not that a limit or a value did not fit.
    pub(super) fn is_loss(&self) -> bool {
        !matches!(
            self,
            Self::Refused(_) | Self::TooLarge(_) | Self::OverLimit(_)
        )
    }

    /// Whether the next call can go over the same connection.
    pub(super) fn leaves_connection(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::OverLimit(_))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(status) => status.fmt(f),
            Self::Unsent(error) | Self::Lost(error) | Self::Interrupted(error) => error.fmt(f),
            Self::HungUp => f.write_str("the server closed the connection"),
            Self::OutOfStep(why) => write!(f, "the server broke the protocol: {why}"),
            Self::OverLimit(why) => f.write_str(why),
            Self::TooLarge(limit) => write!(f, "an answer is larger than {limit} bytes"),
        }
    }
}
