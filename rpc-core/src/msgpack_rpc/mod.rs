//! MessagePack-RPC, the dialect that Python doge speaks on the same port as the native protocol. No I/O.
//!
//! A request is `[0, id, method, params]`, its answer `[1, id, error, result]`, each a MessagePack array without a length
//! in front. doge puts a map of metadata in front of the params, which other peers do not have.

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
    request::{Asked, answer, ask},
    server::ServerConnection,
};
