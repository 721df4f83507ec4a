//! The connections to one address: one of the native protocol, which carries all calls, or several of MessagePack-RPC,
//! each of which carries one at a time.

pub(crate) mod msgpack_rpc;
pub(crate) mod native;
mod runtime;
mod waiting;

use std::{fmt::Display, sync::Arc};

use doge_rpc_core::{
    Disposition, Status,
    transport::{Address, Dialect},
};

use crate::{ChannelConfig, watch::Connections};

/// What carries the calls to one address, in the dialect that the address says. A call finds out for itself which it is:
/// a future around those of both would cost each native call.
#[derive(Debug)]
pub(crate) enum Connection {
    Native(native::Connection),
    MsgpackRpc(msgpack_rpc::Pool),
}

impl Connection {
    /// Connects. Cancel safe: a dropped attempt leaves nothing behind. `connections` counts each connection; where there are
    /// several, a connection that is lost under a call begins a new generation.
    ///
    /// # Errors
    ///
    /// `Unavailable`, with what failed.
    pub(crate) async fn open(
        address: &Address,
        config: &ChannelConfig,
        connections: &Arc<Connections>,
    ) -> Result<Self, Status> {
        let meta = match address.dialect() {
            Dialect::Native => {
                let connection = native::Connection::open(address, config, connections).await?;
                return Ok(Self::Native(connection));
            }
            Dialect::Doge => true,
            Dialect::MsgpackRpc => false,
            other => {
                let why = format_args!("{other} is not spoken by this client");
                return Err(no_connection(address, why));
            }
        };
        let pool = msgpack_rpc::Pool::open(address, meta, config, connections).await?;
        Ok(Self::MsgpackRpc(pool))
    }

    /// Whether the connection ended because its runtime did, and not because of the peer.
    pub(crate) fn was_interrupted(&self) -> bool {
        match self {
            Self::Native(connection) => connection.was_interrupted(),
            Self::MsgpackRpc(pool) => pool.was_interrupted(),
        }
    }

    /// Whether new calls should go over another connection.
    #[inline]
    pub(crate) fn is_closing(&self) -> bool {
        match self {
            Self::Native(connection) => connection.is_closing(),
            Self::MsgpackRpc(pool) => pool.is_closing(),
        }
    }
}

/// What carried the connection has ended.
fn interrupted() -> Status {
    let why = "the runtime that carried the connection was shut down";
    Status::unavailable(why).with_disposition(Disposition::Interrupted)
}

/// There is no connection to this address.
fn no_connection(address: &Address, why: impl Display) -> Status {
    Status::unavailable(format!("no connection to {address}: {why}")).not_sent()
}
