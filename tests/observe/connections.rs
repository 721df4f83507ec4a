//! Connections: each is opened and closed once, and says why.

use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::{
    common::until,
    peer::Peer,
    recorder::{Recorder, Seen},
    subject::Subject as _,
    world::{World, client_of},
};

/// Waits until as many connections are closed, and returns why.
async fn closed(recorder: &Recorder, count: usize) -> Vec<String> {
    until(|| recorder.count(|it| matches!(it, Seen::Closed(..))) == count).await;
    let (mut opened, mut why) = (Vec::new(), Vec::new());
    for seen in recorder.all() {
        match seen {
            Seen::Opened(peer) => opened.push(peer),
            Seen::Closed(peer, reason) => {
                let place = opened.iter().position(|it| *it == peer);
                opened.swap_remove(place.expect("it was opened"));
                why.push(reason);
            }
            _ => {}
        }
    }
    why
}

async fn connect(server: &doge_rpc::server::Running) -> TcpStream {
    let address = server.address().to_string();
    TcpStream::connect(address.trim_start_matches("tcp://"))
        .await
        .unwrap()
}

#[tokio::test]
async fn each_ends_with_a_reason() {
    let World {
        recorder, server, ..
    } = World::new().await;

    let client = client_of(&server);
    client.answer(false).await.unwrap();
    assert_eq!(server.stats().connections, 1);
    drop(client);
    assert_eq!(closed(&recorder, 1).await, ["the client hung up"]);

    // It never says its first byte.
    drop(connect(&server).await);
    let why = closed(&recorder, 2).await;
    assert!(why[1].contains("before its first byte"), "{why:?}");

    // It says something that nobody understands.
    let mut stranger = connect(&server).await;
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let why = closed(&recorder, 3).await;
    assert!(
        why[2].starts_with("the client broke the protocol"),
        "{why:?}"
    );

    let _peer = Peer::greeted(&server).await;
    let stats = server.stats();
    assert_eq!((stats.connections, stats.connections_accepted), (1, 4));
    assert_eq!(stats.connections_refused, 0);
    drop(server);
    let why = closed(&recorder, 4).await;
    assert_eq!(why[3], "the server closed it");
}

#[tokio::test]
async fn connections_that_are_too_many_are_opened_and_closed_as_well() {
    let World {
        recorder, server, ..
    } = World::with(|server| server.max_connections(1)).await;
    let _first = Peer::greeted(&server).await;
    let mut second = Peer::connect(&server).await;
    second.last_words().await;
    let why = closed(&recorder, 1).await;
    assert_eq!(
        why,
        ["it was turned away, as there are 1 connections already"]
    );
    let stats = server.stats();
    assert_eq!((stats.connections, stats.connections_refused), (1, 1));
    assert_eq!(stats.connections_accepted, 2);
}

/// What a connection counted stays when it closes.
#[tokio::test]
async fn figures_outlive_their_connection() {
    let World {
        recorder, server, ..
    } = World::new().await;
    for calls in 1..=5 {
        let client = client_of(&server);
        client.answer(false).await.unwrap();
        assert_eq!(
            server.stats().method("subject", "answer").unwrap().started,
            calls
        );
        drop(client);
        closed(&recorder, usize::try_from(calls).unwrap()).await;
        assert_eq!(
            server.stats().method("subject", "answer").unwrap().started,
            calls
        );
    }
    recorder.agrees_with(&server);
}
