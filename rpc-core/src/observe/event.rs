use std::{fmt, time::Duration};

use crate::{
    Code, Disposition, Status,
    call::{Attempt, Peer, Response, Route},
    transport::Address,
};

/// An event of a call, an attempt, a connection or an endpoint. More kinds may come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A call started: at a client when it is made, at a server when it is dispatched to its handler.
    CallStarted(CallInfo<'a>),
    /// A call ended: with an answer, a status or a cancel.
    CallEnded(CallInfo<'a>, CallResult<'a>),
    /// A client started an attempt at an endpoint.
    AttemptStarted(CallInfo<'a>),
    /// An attempt ended.
    AttemptEnded(CallInfo<'a>, CallResult<'a>),
    /// A server refused a call before dispatch; layers do not see the call.
    Refused(CallInfo<'a>, RefusalReason),
    /// A connection was opened.
    ConnectionOpened(Side, &'a Address),
    /// A connection was closed, for this reason.
    ConnectionClosed(Side, &'a Address, &'a str),
    /// A client could not connect, for this reason.
    ConnectFailed(&'a Address, &'a Status),
    /// A load balancer chose this endpoint for an attempt.
    EndpointPicked(&'a Address),
    /// An endpoint was ejected because of its failures.
    EndpointEjected(&'a Address),
    /// An ejected endpoint is back in rotation.
    EndpointReturned(&'a Address),
    /// An endpoint asked callers to stay away for this long.
    Pushback(&'a Address, Duration),
    /// A retry was taken from the budget.
    Retry(&'a Route),
    /// A hedge started.
    Hedge(&'a Route),
    /// The hedge of a call answered before its first attempt.
    HedgeWon(&'a Route),
    /// A retry or a hedge was due but not made: the retry budget, or the credit of hedges, was empty.
    BudgetEmpty(&'a Route),
}

/// The side that reports an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The side that makes calls.
    Client,
    /// The side that serves calls.
    Server,
}

/// The call or the attempt that an event is about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallInfo<'a> {
    /// The side that reports the event.
    pub side: Side,
    /// The method. At a server, a route without a [`schema`](Route::schema) is an unknown method, with a name that the
    /// peer made up.
    pub route: &'a Route,
    /// The caller, at a server.
    pub peer: Option<&'a Peer>,
    /// The endpoint of an attempt, at a client.
    pub address: Option<&'a Address>,
    /// The number of the attempt, and the criticality of the call.
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
    /// How far the call came, if it ended with a status.
    pub disposition: Option<Disposition>,
    /// The status comes from a call that the handler made itself.
    pub passed_on: bool,
    /// The message of the status; empty for an answer.
    pub message: &'a str,
    /// Bytes of the result or of the error.
    pub response_bytes: usize,
    /// The time from start to end, if times are measured.
    pub elapsed: Option<Duration>,
}

/// Why a server refused a call before it was dispatched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RefusalReason {
    /// There is no such service or method.
    UnknownMethod,
    /// The connection runs its maximum of calls.
    ConnectionFull,
    /// The server runs its maximum of calls.
    ServerFull,
    /// The deadline passed before the call arrived or could run.
    Late,
    /// The server drains.
    Draining,
    /// A MessagePack-RPC peer sent a message that is no request, or invalid metadata.
    Malformed,
    /// The caller cancelled, or its connection was lost, before the call could run.
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
    /// A call of this method, with the size of its arguments in bytes.
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

    /// Sets the caller.
    #[must_use]
    pub fn with_peer(mut self, peer: &'a Peer) -> Self {
        self.peer = Some(peer);
        self
    }

    /// Sets the endpoint.
    #[must_use]
    pub fn with_address(mut self, address: &'a Address) -> Self {
        self.address = Some(address);
        self
    }
}

impl<'a> CallResult<'a> {
    /// The result of a call with this answer, after this time.
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
