//! RPC libraries as they are published, each set up as its own documentation recommends for throughput, with limits raised
//! that would cap a load.

mod capnp;
mod jsonrpsee;
mod tarpc;
mod tonic;
mod volo;

pub use self::{
    capnp::Capnp,
    jsonrpsee::Jsonrpsee,
    tarpc::{TarpcBincode, TarpcMsgpack},
    tonic::Tonic,
    volo::Volo,
};
