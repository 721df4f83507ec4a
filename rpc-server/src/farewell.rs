//! What a client is told for which there is no room.

use std::time::Duration;

use bytes::BytesMut;
use doge_rpc_core::{
    msgpack_rpc::{self, Message, Messages, MsgId},
    protocol::{DEFAULT_MAX_FRAME, Frame, GoAway, Message as Native, Reason},
    transport::{ReadHalf, Stream},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout_at},
};

use crate::connection::is_msgpack_rpc;

/// How long a client that is turned away may take to hang up.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long it has to show which dialect it speaks.
const FIRST_WORD: Duration = Duration::from_millis(200);

/// What is kept of a request to find its end, in bytes.
const MAX_REQUEST: usize = 64 * 1024;

/// Says that there are `most` connections already, and waits for the client to hang up: closing with something unread
/// would take the words back.
pub(crate) async fn say(stream: Stream, most: usize) {
    let (mut read, mut write) = stream.split();
    let why = format!("the server has {most} connections, which is all that it takes");
    let farewell = async {
        let bytes = match Dialect::of(&mut read).await {
            Dialect::MsgpackRpc(id) => msgpack_rpc::refusal(id, &why),
            Dialect::Native => go_away(&why),
        };
        write.write_all(&bytes).await?;
        write.shutdown().await?;
        tokio::io::copy(&mut read, &mut tokio::io::sink()).await
    };
    // Whatever comes of it, the connection is closed.
    let _ = tokio::time::timeout(PATIENCE, farewell).await;
}

/// What a client speaks that is turned away.
enum Dialect {
    /// With the number of its first request, if that came in time.
    MsgpackRpc(Option<MsgId>),
    /// Also when it says nothing.
    Native,
}

impl Dialect {
    async fn of(read: &mut ReadHalf) -> Self {
        let until = Instant::now() + FIRST_WORD;
        let mut bytes = BytesMut::new();
        let first = timeout_at(until, read.read_buf(&mut bytes)).await;
        if !matches!(first, Ok(Ok(1..))) || !is_msgpack_rpc(&bytes) {
            return Self::Native;
        }
        let message = timeout_at(until, request(read, bytes)).await;
        Self::MsgpackRpc(message.ok().flatten().and_then(|message| message.id()))
    }
}

/// The first message of a client that speaks MessagePack-RPC and that gets an answer. `bytes` were read already.
async fn request(read: &mut ReadHalf, mut bytes: BytesMut) -> Option<Message> {
    let mut messages = Messages::new(MAX_REQUEST);
    loop {
        match messages.next(&mut bytes).ok()? {
            Some(Message::Notification { .. } | Message::InvalidNotification { .. }) => continue,
            Some(message) => return Some(message),
            None => {}
        }
        if read.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn go_away(why: &str) -> BytesMut {
    let goaway = GoAway {
        reason: Reason::Limit,
        last_calls: Vec::new(),
        message: why.into(),
    };
    let frame = Frame {
        call: 0,
        message: Native::GoAway(goaway),
    };
    let mut bytes = BytesMut::new();
    let encoded = frame.encode(&mut bytes, DEFAULT_MAX_FRAME);
    debug_assert!(encoded.is_ok(), "it is small");
    bytes
}
