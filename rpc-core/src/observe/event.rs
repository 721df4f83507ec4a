use std::{fmt, time::Duration};

use crate::{
    Code, Disposition, Status,
    call::{Attempt, Peer, Response, Route},
    transport::Address,
};

/// Something that happened. More kinds may come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A call began: at a client when it is made, at a server when it is dispatched to its handler.
    CallStarted(CallInfo<'a>),
    /// A call is over: it has its answer, or its caller gave it up.
    CallEnded(CallInfo<'a>, CallResult<'a>),
    /// A client began an attempt of a call at an endpoint.
    AttemptStarted(CallInfo<'a>),
    /// An attempt is over.
    AttemptEnded(CallInfo<'a>, CallResult<'a>),
    /// A server refused a call before it was dispatched; layers do not see it.
    Refused(CallInfo<'a>, RefusalReason),
    /// A connection is open.
    ConnectionOpened(Side, &'a Address),
    /// A connection is closed, for this reason.
    ConnectionClosed(Side, &'a Address, &'a str),
    /// A client could not connect, for this reason.
    ConnectFailed(&'a Address, &'a Status),
    /// A load balancer chose this endpoint for an attempt.
    EndpointPicked(&'a Address),
    /// An endpoint is out of rotation because of its failures.
    EndpointEjected(&'a Address),
    /// An ejected endpoint is back in rotation.
    EndpointReturned(&'a Address),
    /// An endpoint asked callers to stay away for this long.
    Pushback(&'a Address, Duration),
    /// A retry was taken from the budget.
    Retry(&'a Route),
    /// A hedge began.
    Hedge(&'a Route),
    /// The hedge of a call answered before its first attempt.
    HedgeWon(&'a Route),
    /// A retry or a hedge that was due did not happen: the budget, or the credit of hedges, was empty.
    BudgetEmpty(&'a Route),
}

/// Which end sees an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The end that makes calls.
    Client,
    /// The end that serves calls.
    Server,
}

/// The call or the attempt that an event is about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallInfo<'a> {
    /// Which end sees it.
    pub side: Side,
    /// The method. At a server, a route whose [`schema`](Route::schema) is `None` is a method that does not exist, with a
    /// name that the peer made up.
    pub route: &'a Route,
    /// At a server, who calls.
    pub peer: Option<&'a Peer>,
    /// At a client, the endpoint of an attempt.
    pub address: Option<&'a Address>,
    /// The number of the attempt, and how much the call matters.
    pub attempt: Attempt,
    /// Bytes of the arguments.
    pub request_bytes: usize,
}

/// How a call or an attempt ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallResult<'a> {
    /// `Ok` for an answer, be it an error of the application.
    pub code: Code,
    /// The answer is an error of the application.
    pub application_error: bool,
    /// How far a call came that ended with a status.
    pub disposition: Option<Disposition>,
    /// The status was only passed on from a service further down.
    pub passed_on: bool,
    /// The message of the status; empty for an answer.
    pub message: &'a str,
    /// Bytes of the result or of the error.
    pub response_bytes: usize,
    /// From start to end, where times are taken.
    pub elapsed: Option<Duration>,
}

/// Why a server refused a call before it was dispatched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RefusalReason {
    /// There is no such service or method.
    UnknownMethod,
    /// As many calls run on the connection as may.
    ConnectionFull,
    /// As many calls run on the server as may.
    ServerFull,
    /// The deadline had passed when the call came or could have run.
    Late,
    /// The server drains.
    Draining,
    /// The request cannot be read: a MessagePack-RPC peer sent no request, or metadata that are none.
    Malformed,
    /// The caller gave the call up, or its connection was lost, before the call could run.
    Cancelled,
}

impl RefusalReason {
    /// All reasons.
    pub const ALL: [Self; 7] = [
        Self::UnknownMethod,
        Self::ConnectionFull,
        Self::ServerFull,
        Self::Late,
        Self::Draining,
        Self::Malformed,
        Self::Cancelled,
    ];
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownMethod => "unknown method",
            Self::ConnectionFull => "connection full",
            Self::ServerFull => "server full",
            Self::Late => "late",
            Self::Draining => "draining",
            Self::Malformed => "malformed",
            Self::Cancelled => "cancelled",
        })
    }
}

impl<'a> CallInfo<'a> {
    /// The call of this method with that many bytes of arguments.
    pub fn new(side: Side, route: &'a Route, attempt: Attempt, request_bytes: usize) -> Self {
        Self {
            side,
            route,
            peer: None,
            address: None,
            attempt,
            request_bytes,
        }
    }

    /// Says who calls.
    #[must_use]
    pub fn with_peer(mut self, peer: &'a Peer) -> Self {
        self.peer = Some(peer);
        self
    }

    /// Says which endpoint is called.
    #[must_use]
    pub fn with_address(mut self, address: &'a Address) -> Self {
        self.address = Some(address);
        self
    }
}

impl<'a> CallResult<'a> {
    /// What this answer is, after this time.
    pub fn of(answer: &'a Result<Response, Status>, elapsed: Option<Duration>) -> Self {
        let (mut result, elapsed) = (Self::default(), elapsed);
        result.elapsed = elapsed;
        match answer {
            Ok(response) => {
                result.application_error = response.is_application_error();
                result.response_bytes = response.bytes().len();
            }
            Err(status) => {
                result.code = status.code();
                result.disposition = Some(status.disposition());
                result.passed_on = status.is_passed_on();
                result.message = status.message();
            }
        }
        result
    }
}

impl Default for CallResult<'_> {
    /// An empty answer.
    fn default() -> Self {
        Self {
            code: Code::Ok,
            application_error: false,
            disposition: None,
            passed_on: false,
            message: "",
            response_bytes: 0,
            elapsed: None,
        }
    }
}
