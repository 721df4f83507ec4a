use std::fmt::{self, Write as _};

use doge_rpc_core::observe::{CallInfo, CallResult, Event, Observer, Side};
use parking_lot::Mutex;
use tokio::time::Instant;

/// Lines that are shown of a run that failed.
const TAIL: usize = 40;

/// What happened in a run, a line each.
#[derive(Debug)]
pub(super) struct Log {
    began: Instant,
    lines: Mutex<Vec<String>>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            lines: Mutex::default(),
        }
    }

    pub(super) fn record(&self, text: impl fmt::Display) {
        let time = self.began.elapsed().as_secs_f64();
        self.lines.lock().push(format!("{time:12.6} {text}"));
    }

    pub(super) fn tail(&self) -> Vec<String> {
        let lines = self.lines.lock();
        lines[lines.len().saturating_sub(TAIL)..].to_vec()
    }

    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock())
    }
}

/// Writes the events of one host into the log of the run.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) simulation: super::Simulation,
    pub(super) host: String,
}

impl Observer for Recorder {
    fn observe(&self, event: &Event<'_>) {
        let host = &self.host;
        self.simulation
            .record(format_args!("{host}: {}", Readable(event)));
    }
}

/// An event as people read it.
struct Readable<'a>(&'a Event<'a>);

impl fmt::Display for Readable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Event::CallStarted(call) => write!(f, "call started: {}", Call(call)),
            Event::CallEnded(call, result) => {
                write!(f, "call ended: {}: {}", Call(call), End(result))
            }
            Event::AttemptStarted(call) => write!(f, "attempt started: {}", Call(call)),
            Event::AttemptEnded(call, result) => {
                write!(f, "attempt ended: {}: {}", Call(call), End(result))
            }
            Event::Refused(call, reason) => write!(f, "refused: {}: {reason}", Call(call)),
            Event::ConnectionOpened(side, address) => {
                write!(f, "{} connection opened: {address}", side_of(*side))
            }
            Event::ConnectionClosed(side, address, why) => {
                write!(f, "{} connection closed: {address}: {why}", side_of(*side))
            }
            Event::ConnectFailed(address, status) => {
                write!(f, "cannot connect: {address}: {}", status.message())
            }
            Event::EndpointPicked(address) => write!(f, "picked: {address}"),
            Event::EndpointEjected(address) => write!(f, "ejected: {address}"),
            Event::EndpointReturned(address) => write!(f, "returned: {address}"),
            Event::Pushback(address, time) => write!(f, "pushback: {address}: {time:?}"),
            Event::Retry(route) => write!(f, "retry: {route}"),
            Event::Hedge(route) => write!(f, "hedge: {route}"),
            Event::HedgeWon(route) => write!(f, "hedge won: {route}"),
            Event::BudgetEmpty(route) => write!(f, "budget empty: {route}"),
            other => write!(f, "{other:?}"),
        }
    }
}

fn side_of(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
    }
}

struct Call<'a>(&'a CallInfo<'a>);

impl fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.0;
        write!(f, "{}", call.route)?;
        if let Some(peer) = call.peer {
            write!(f, " from {peer}")?;
        }
        if let Some(address) = call.address {
            write!(f, " at {address}")?;
        }
        f.write_char(' ')?;
        write!(f, "{:?}, {} bytes", call.attempt, call.request_bytes)
    }
}

struct End<'a>(&'a CallResult<'a>);

impl fmt::Display for End<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = self.0;
        write!(f, "{:?}", result.code)?;
        if let Some(disposition) = result.disposition {
            write!(f, ", {disposition:?}")?;
        }
        if !result.message.is_empty() {
            write!(f, ", {}", result.message)?;
        }
        write!(f, ", {} bytes", result.response_bytes)
    }
}
