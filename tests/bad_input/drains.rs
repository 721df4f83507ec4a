//! Peers that begin something and do not end it hold up no drain.

use std::time::{Duration, Instant};

use doge_rpc::{connection::Limits, protocol::Message};
use tokio::task::JoinSet;

use crate::{
    peer::{Peer, encode, hello, request},
    serve,
};

/// Far less than the grace time of 20 s and the 10 s that a hello may take.
const SOON: Duration = Duration::from_secs(6);

fn half(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len() / 2]
}

#[tokio::test]
async fn half_a_hello_or_half_a_request_holds_up_no_drain() {
    let server = serve(Limits::default()).await;
    let hello = encode(0, Message::Hello(hello()));
    let native = encode(1, request("bench", "add", b"\x92\x01\x02"));
    let foreign = b"\x94\x00\x01\xa3add\x92\x01\x02";
    let begun: [&[u8]; 5] = [
        &hello[..1],
        half(&hello),
        half(foreign),
        &foreign[..1],
        // An argument of 60,000 bytes, of which there are none.
        b"\x94\x00\x01\xa4grow\x91\xc5\xea\x60",
    ];
    let mut peers = Vec::new();
    for bytes in begun {
        let mut peer = Peer::connect(&server).await;
        peer.send_bytes(bytes).await;
        peers.push(peer);
    }
    // One byte in a while does not count as going on.
    let mut slow = Peer::connect(&server).await;
    let mut trickling = JoinSet::new();
    slow.send_bytes(b"\x94\x00\x01\xa4grow\x91\xc5\xea\x60")
        .await;
    trickling.spawn(async move {
        while !slow.has_hung_up() {
            slow.send_bytes(b"x").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    for half in [&[][..], half(&native)] {
        // They read what they are told, and never hang up.
        let mut peer = Peer::greeted(&server).await;
        peer.send_bytes(half).await;
        peers.push(peer);
    }
    // The server has read what came before.
    crate::Bystander::beside(&server).await;
    let began = Instant::now();
    server.drain().await;
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}
