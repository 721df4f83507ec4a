//! MessagePack-RPC, the dialect that Python doge speaks on the same port as the native protocol. No I/O.
//!
//! A request is `[0, id, method, params]`, its answer `[1, id, error, result]`, each a MessagePack array without a length
//! in front. doge puts a map of metadata in front of the params, which other peers do not have.
//!
//! What a call is on the wire, and what its answer means:
//!
//! ```
//! use bytes::BytesMut;
//! use doge_rpc_core::{
//!     Deadline, Status,
//!     call::{Request, Route},
//!     msgpack_rpc::{AskOptions, Messages, Reply, answer, ask},
//!     schema::Encoding,
//!     wire,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let body = wire::encode(&(1, 2), Encoding::Map)?;
//! let deadline = Deadline::after(Deadline::DEFAULT_TIMEOUT);
//! let sum = Route::named("calculator", "sum")?;
//! let asked = ask(&Request::new(sum.clone(), body, deadline), 7, AskOptions::default())?;
//! assert_eq!([asked.head, asked.arguments].concat(), b"\x94\x00\x07\xa3sum\x92\x01\x02");
//!
//! let mut bytes = BytesMut::from(&b"\x94\x01\x07\xc0\x03"[..]);
//! let message = Messages::new(1024).next(&mut bytes)?.ok_or("not whole")?;
//! let Reply::Answer(response) = answer(message, 7) else { panic!() };
//! assert_eq!(response.decode::<u32, Status>(&sum)?, 3);
//! # Ok(())
//! # }
//! ```

mod arity;
mod extent;
mod message;
mod messages;
mod meta;
mod msg_id;
mod options;
mod order;
mod request;
mod server;
mod text;

pub use self::{
    message::{Call, Message},
    messages::Messages,
    msg_id::MsgId,
    options::{MetaMap, Options},
    order::refusal,
    request::{AskOptions, Asked, Reply, answer, ask},
    server::ServerConnection,
};
