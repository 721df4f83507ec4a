//! What a client is told for which there is no room.

use std::{io, time::Duration};

use bytes::BytesMut;
use doge_rpc_core::{
    msgpack_rpc::{self, Message, Messages},
    protocol::{DEFAULT_MAX_FRAME, Frame, GoAway, Message as Native, Reason},
    transport::{ReadHalf, Stream},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::connection::is_msgpack_rpc;

/// How long a client that is turned away may take to hang up.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long it has to show which dialect it speaks.
const FIRST_WORD: Duration = Duration::from_millis(200);

/// The largest request that gets an answer, in bytes.
const MAX_REQUEST: usize = 64 * 1024;

/// Says that there are `most` connections already, and waits for the client to hang up: closing with something unread
/// would take the words back.
pub(crate) async fn say(stream: Stream, most: usize) {
    let (mut read, mut write) = stream.split();
    let why = format!("the server has {most} connections, which is all that it takes");
    let farewell = async {
        let bytes = match tokio::time::timeout(FIRST_WORD, request(&mut read)).await {
            Ok(Ok(Some(message))) => msgpack_rpc::refusal(message.id(), &why),
            _ => go_away(&why),
        };
        write.write_all(&bytes).await?;
        write.shutdown().await?;
        tokio::io::copy(&mut read, &mut tokio::io::sink()).await
    };
    // Whatever comes of it, the connection is closed.
    let _ = tokio::time::timeout(PATIENCE, farewell).await;
}

/// The first message of a client that speaks MessagePack-RPC.
async fn request(read: &mut ReadHalf) -> io::Result<Option<Message>> {
    let (mut messages, mut buffer) = (Messages::new(MAX_REQUEST), BytesMut::new());
    loop {
        if read.read_buf(&mut buffer).await? == 0 || !is_msgpack_rpc(&buffer) {
            return Ok(None);
        }
        match messages.next(&mut buffer) {
            Ok(None) => {}
            Ok(message) => return Ok(message),
            Err(_) => return Ok(None),
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
