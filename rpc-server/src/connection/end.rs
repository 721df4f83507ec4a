use std::{fmt, io};

use doge_rpc_core::{
    call::{CancelReason, Cancellation, Peer},
    protocol::Violation,
};

/// Why a connection ended.
pub(super) enum End {
    /// The client hung up.
    HungUp,
    /// The server closed it.
    Closed,
    Lost(io::Error),
    Violated(Violation),
}

impl End {
    /// What the calls of the connection are told.
    pub(super) fn cancellation(&self, peer: &Peer) -> Cancellation {
        let (reason, text) = match self {
            Self::HungUp => (CancelReason::ConnectionLost, format!("{peer} hung up")),
            Self::Closed => (CancelReason::Shutdown, String::new()),
            Self::Lost(error) => (CancelReason::ConnectionLost, format!("{peer}: {error}")),
            Self::Violated(violation) => {
                let text = format!("{peer} broke the protocol: {violation}");
                (CancelReason::ConnectionLost, text)
            }
        };
        Cancellation::new(reason, text)
    }
}

impl From<Violation> for End {
    fn from(violation: Violation) -> Self {
        Self::Violated(violation)
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

/// Why, for those who watch.
impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HungUp => f.write_str("the client hung up"),
            Self::Closed => f.write_str("the server closed it"),
            Self::Lost(error) => write!(f, "it was lost: {error}"),
            Self::Violated(violation) => write!(f, "the client broke the protocol: {violation}"),
        }
    }
}
