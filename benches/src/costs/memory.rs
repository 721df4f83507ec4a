use serde::Serialize;

use super::Held;
use crate::{Entry, Error, Memory, ServerProcess, files, process::Process};

/// Resident memory that idle connections take which have carried a call.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Idle {
    /// How many there were: as many as wanted, unless the limit of open files is too low.
    pub connections: usize,
    /// Bytes for each, of the calling process.
    pub client: f64,
    /// Bytes for each, of the serving process.
    pub server: f64,
}

/// Resident memory that calls in flight take on one connection, at the most at any time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct InFlight {
    /// How many there were.
    pub calls: usize,
    /// Bytes for each, of the calling process.
    pub client: f64,
    /// Bytes for each, of the serving process.
    pub server: f64,
}

/// Memory of both processes at one time.
struct Both {
    client: Memory,
    server: Memory,
}

/// Has one server hold many connections, all of one client.
///
/// # Errors
///
/// When a connection is refused, or the system has no `/proc`.
pub fn idle(entry: Entry, wanted: usize) -> Result<Idle, Error> {
    let connections = wanted.min(files::allow_many()).max(2);
    let [before, after] = look(entry, Held::Connections(connections))?;
    let each = |before: Memory, after: Memory| {
        (after.resident as f64 - before.resident as f64) / (connections - 1) as f64
    };
    Ok(Idle {
        connections,
        client: each(before.client, after.client),
        server: each(before.server, after.server),
    })
}

/// Has one connection hold many calls.
///
/// # Errors
///
/// When a call fails, or the system has no `/proc`.
pub fn in_flight(entry: Entry, calls: usize) -> Result<InFlight, Error> {
    let [before, after] = look(entry, Held::Calls(calls))?;
    let each =
        |before: Memory, after: Memory| (after.peak as f64 - before.resident as f64) / calls as f64;
    Ok(InFlight {
        calls,
        client: each(before.client, after.client),
        server: each(before.server, after.server),
    })
}

/// The memory before something is held and after, of processes that have done nothing else.
fn look(entry: Entry, held: Held) -> Result<[Both; 2], Error> {
    let mut server = ServerProcess::start(entry, &[])?;
    let mut client = Process::start([
        format!("--hold={held}"),
        format!("--contender={entry}"),
        format!("--data={}", server.address()),
    ])?;
    let before = Both::next(&mut client, &mut server)?;
    client.tell("")?;
    Ok([before, Both::next(&mut client, &mut server)?])
}

impl Both {
    /// When the client tells its own.
    fn next(client: &mut Process, server: &mut ServerProcess) -> Result<Self, Error> {
        Ok(Self {
            client: client.value()?,
            server: server.memory()?,
        })
    }
}
