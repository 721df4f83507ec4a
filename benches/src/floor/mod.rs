//! A bare tokio echo over one TCP connection, as fast as it can be made in safe code.
//!
//! - Every frame is a header (length of the body, tag, slot of the waiter) and a body.
//! - A waiter is a slot in a slab. A caller alone on the connection writes from its own task; otherwise one writer
//!   yields once, so that all who are ready add their frames, and writes them with one syscall. Large bodies go by
//!   reference.
//! - A read takes as much as there is; all its frames are handed out as slices before anyone is woken.
//! - The server answers a whole read's worth with one write.

mod chunks;
mod client;
mod frame;
mod outgoing;
mod server;
mod waiters;

pub use self::{
    client::Client,
    frame::{Frames, HEADER_LEN, put_header},
    server::{Handler, serve},
};
