//! Which dialect a client speaks, which its first byte tells.

use std::{io, sync::Arc, time::Duration};

use bytes::BytesMut;
use doge_rpc_core::{
    call::Peer,
    connection, msgpack_rpc,
    protocol::Foreign,
    transport::{ReadHalf, Stream, WriteHalf},
};
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

use super::{Connection, Service, connect};

/// What becomes of all connections.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// They are asked to end.
    pub(crate) draining: CancellationToken,
    /// They end.
    pub(crate) closed: CancellationToken,
}

/// How long a client whose connection stands when a drain begins has to say its first word.
const FIRST_WORD: Duration = Duration::from_millis(300);

/// Serves a connection to its end, and says why it ended. Calls `entered` once the protocol has been detected.
///
/// A client that says nothing costs nothing but its place: a Python client may connect long before its first call. Where
/// MessagePack-RPC is not served, a client has to say hello in time.
pub(crate) async fn serve(
    stream: Stream,
    peer: Peer,
    service: Arc<Service>,
    signals: &Signals,
    entered: impl FnOnce(Connection),
) -> String {
    let (mut reading, writing) = stream.split();
    let mut read = BytesMut::new();
    if service.msgpack_rpc.is_some() {
        match first_bytes(&mut reading, signals).await {
            Ok(Some(bytes)) => read = bytes,
            Ok(None) => return "it ended before its first byte".into(),
            Err(error) => {
                tracing::debug!(%peer, %error, "connection lost before its first byte");
                return format!("it was lost before its first byte: {error}");
            }
        }
    }
    let halves = (reading, writing);
    if is_msgpack_rpc(&read) {
        run::<msgpack_rpc::ServerConnection<_, _>>(halves, read, peer, service, entered).await
    } else {
        run::<connection::ServerConnection<_, _>>(halves, read, peer, service, entered).await
    }
}

async fn run<M: super::Machine>(
    halves: (ReadHalf, WriteHalf),
    read: BytesMut,
    peer: Peer,
    service: Arc<Service>,
    entered: impl FnOnce(Connection),
) -> String {
    let (connection, task) = connect::<M>(halves, read, peer, service);
    entered(connection);
    task.await
}

/// Whether these bytes begin with a MessagePack array.
pub(crate) fn is_msgpack_rpc(bytes: &[u8]) -> bool {
    Foreign::recognise(bytes) == Some(Foreign::MessagePackRpc)
}

/// What the client says first, of which one byte is enough; `None` when it says nothing any more or the server ends.
async fn first_bytes(reading: &mut ReadHalf, signals: &Signals) -> io::Result<Option<BytesMut>> {
    // On its own: whoever waits here should take no more memory than that.
    let mut first = [0];
    let late = async {
        signals.draining.cancelled().await;
        tokio::time::sleep(FIRST_WORD).await;
    };
    let read = tokio::select! {
        biased;
        read = reading.read(&mut first) => read?,
        () = late => 0,
        () = signals.closed.cancelled() => 0,
    };
    Ok((read > 0).then(|| BytesMut::from(&first[..])))
}
