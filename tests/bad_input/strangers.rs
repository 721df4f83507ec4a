//! Peers that speak something else.

use doge_rpc::{Code, connection::Limits};
use tokio::{io::AsyncWriteExt as _, net::TcpListener};
use tracing::level_filters::LevelFilter;

use crate::{Bench as _, BenchClient, Bystander, logs::Log, peer::Peer, serve_natively};

#[tokio::test]
async fn strangers_are_told_what_they_speak_and_closed() {
    let server = serve_natively(Limits::default()).await;
    let bystander = Bystander::beside(&server).await;
    for (bytes, said) in [
        (&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], "HTTP"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP"),
        (b"\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03", "TLS"),
        (b"\x94\x00\x01\xa3sum\x93\x80\x01\x02", "MessagePack-RPC"),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07", "0x00"),
    ] {
        let (log, _capturing) = Log::capture(LevelFilter::WARN);
        let mut peer = Peer::connect(&server).await;
        peer.send_bytes(bytes).await;
        let words = peer.last_words().await;
        assert!(words.contains(said), "{said}: {words:?}");
        log.is_one_line_saying(&["peer=tcp://127.0.0.1:", said]);
        bystander.is_untouched().await;
    }
}

#[tokio::test]
async fn a_client_that_reaches_a_stranger_says_so_and_never_ran() {
    for (bytes, said) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"[..],
            "it speaks HTTP",
        ),
        (b"\x16\x03\x01\x02\x03\x04\x05", "it speaks TLS"),
        (b"220 mail ready\r\n", "its first byte is 0x32"),
        (b"", "closed the connection"),
    ] {
        let stranger = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("tcp://{}", stranger.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = stranger.accept().await {
                stream.write_all(bytes).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        let status = BenchClient::connect(&address)
            .unwrap()
            .add(1, 2)
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.never_ran());
        assert!(
            status.message().contains(said) && status.message().contains(&address),
            "{status}"
        );
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_unavailable_and_never_ran() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    drop(listener);
    let status = BenchClient::connect(&address)
        .unwrap()
        .add(1, 2)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.never_ran());
    assert!(status.message().contains("refused"), "{status}");
}
