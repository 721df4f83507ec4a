//! Peers that begin something and do not end it hold up no drain, and who sends what crosses the go-away loses no answer.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use doge_rpc::{
    connection::Limits,
    protocol::{Codec, Message},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
    task::JoinSet,
};

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

/// Calls that were sent before the go-away was read get no answer, and take none from the calls before.
#[tokio::test]
async fn a_slow_client_gets_all_its_answers_though_it_calls_on() {
    const CALLS: u64 = 4_000;
    let server = serve(Limits::default()).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = server.address().to_string();
    let address = address.strip_prefix("tcp://").unwrap().parse().unwrap();
    let mut slow = socket.connect(address).await.unwrap();
    slow.write_all(&encode(0, Message::Hello(hello())))
        .await
        .unwrap();
    let call = |number: u64| encode(number * 16, request("bench", "add", b"\x92\x01\x02"));
    for number in 1..=CALLS {
        slow.write_all(&call(number)).await.unwrap();
    }
    let ended = || {
        let methods = server.stats().methods;
        let ended = methods.iter().flat_map(|it| it.ended.values());
        ended.sum::<u64>()
    };
    while ended() < CALLS {
        tokio::task::yield_now().await;
    }
    let mut beside = Peer::greeted(&server).await;
    let draining = tokio::spawn(server.drain());
    // All were told when this one was, and it hangs up.
    while beside.frame().await.is_some() {}
    drop(beside);
    for number in 1..=3 {
        let _ = slow.write_all(&call(CALLS + number)).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (mut answers, mut read) = (0, BytesMut::new());
    let codec = Codec::default();
    while slow.read_buf(&mut read).await.unwrap() > 0 {
        while let Some(frame) = codec.next(&mut read).unwrap() {
            answers += u64::from(matches!(frame.message, Message::Response(..)));
        }
    }
    assert_eq!(answers, CALLS);
    drop(slow);
    draining.await.unwrap();
}
