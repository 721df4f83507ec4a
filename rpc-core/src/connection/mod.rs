//! What may happen when on a connection, for either end, as plain state: frames go in, events and frames come out.
//!
//! Nothing here does I/O or asks a clock; the [`driver`](crate::driver) brings both. So every rule of the protocol
//! can be tested, fuzzed and simulated without a socket.

mod bucket;
mod calls;
mod client;
mod limits;
mod outbox;
mod quiet;
mod running;
mod server;
mod serving;

pub(crate) use self::running::Running;
pub use self::{
    client::{Chore, ClientConnection, Refusal},
    limits::Limits,
    outbox::{Batch, Outbox},
    running::{Overdue, TIME_TO_STOP},
    server::ServerConnection,
    serving::{Finished, Incoming, Methods, Refused, ServerEvent, Serving},
};

/// A connection as the driver sees it: frames come from its outbox.
pub trait HasOutbox {
    /// What waits to be written.
    fn outbox(&mut self) -> &mut Outbox;

    /// Whether more than one call is under way, so that waiting for company before a flush pays.
    fn is_busy(&self) -> bool;
}
