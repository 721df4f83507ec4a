//! The protocol, calls and connection state of doge-rpc; use the crate `doge-rpc`.
//!
//! # Layout
//!
//! - [`protocol`]: frames and their bytes. No I/O, no state.
//! - [`connection`]: what may happen when on a connection, for either end. No I/O, no clock of its own.
//! - [`msgpack_rpc`]: the same for the dialect that Python doge speaks.
//! - [`driver`]: the tokio edge, where bytes and time come in.
//! - [`call`], [`Status`], [`Metadata`], [`Deadline`], [`Context`]: a call as both ends hold it.
//! - [`observe`]: what happens to calls, for those who watch.
//! - [`wire`]: values as MessagePack.
//! - [`schema`]: a service as seen from outside.
//! - [`transport`]: TCP, Unix sockets, pipes.

pub mod call;
pub mod connection;
mod deadline;
pub mod driver;
mod metadata;
pub mod msgpack_rpc;
pub mod observe;
pub mod protocol;
pub mod schema;
mod status;
pub mod transport;
pub mod wire;

pub use self::{
    call::Context,
    deadline::Deadline,
    metadata::{
        CREDENTIAL_KEYS, HOP_PREFIX, MAX_KEY_LEN, MAX_METADATA_ENTRIES, MAX_METADATA_LEN, Metadata,
        MetadataError,
    },
    status::{Code, Disposition, Status},
};
