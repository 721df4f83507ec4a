//! Peers that want more than their share.

use std::time::Duration;

use doge_rpc::{
    Code,
    connection::Limits,
    protocol::{GoAway, Message, Reason, RouteRef},
};

use crate::{
    Bystander,
    peer::{Peer, encode, head, request},
    serve,
};

#[tokio::test]
async fn a_flood_of_pings_costs_the_connection() {
    let server = serve(Limits::default()).await;
    let bystander = Bystander::beside(&server).await;
    let mut peer = Peer::greeted(&server).await;
    peer.send_bytes(&encode(0, Message::Ping(0)).repeat(10_000))
        .await;
    assert_eq!(peer.last_words().await, "too many pings");
    bystander.is_untouched().await;
}

#[tokio::test]
async fn a_flood_of_go_aways_costs_the_connection() {
    let server = serve(Limits::default()).await;
    let bystander = Bystander::beside(&server).await;
    let mut peer = Peer::greeted(&server).await;
    let goaway = GoAway {
        reason: Reason::Drain,
        last_calls: vec![],
        message: "".into(),
    };
    peer.send_bytes(&encode(0, Message::GoAway(goaway)).repeat(1_000))
        .await;
    assert_eq!(peer.last_words().await, "too many go-aways");
    bystander.is_untouched().await;
}

#[tokio::test]
async fn a_flood_of_cancels_costs_the_connection() {
    let server = serve(Limits {
        max_calls: 16,
        ..Limits::default()
    })
    .await;
    let bystander = Bystander::beside(&server).await;
    let mut peer = Peer::greeted(&server).await;
    peer.send_bytes(&encode(7, Message::Cancel(None)).repeat(10_000))
        .await;
    assert_eq!(peer.last_words().await, "too many cancels");
    bystander.is_untouched().await;
}

#[tokio::test]
async fn calls_over_the_limit_are_refused_and_the_rest_goes_on() {
    let server = serve(Limits {
        max_calls: 3,
        ..Limits::default()
    })
    .await;
    let bystander = Bystander::beside(&server).await;
    let mut peer = Peer::greeted(&server).await;
    for call in 1..=4 {
        peer.call(call, "bench", "hang", b"\x90").await;
    }
    let status = peer.status(4).await;
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.never_ran());
    // One less that hangs makes room for one more.
    peer.send(1, Message::Cancel(None)).await;
    peer.call(5, "bench", "add", b"\x92\x01\x02").await;
    assert!(matches!(
        peer.frame().await.unwrap().message,
        Message::Response(..)
    ));
    bystander.is_untouched().await;
}

#[tokio::test]
async fn route_numbers_over_the_limit_cost_the_connection() {
    let server = serve(Limits {
        max_routes: 2,
        ..Limits::default()
    })
    .await;
    let bystander = Bystander::beside(&server).await;
    let mut peer = Peer::greeted(&server).await;
    let Message::Request(named, body) = request("bench", "add", b"\x92\x01\x02") else {
        unreachable!("a request")
    };
    let RouteRef::Named(_, names) = named.route else {
        unreachable!("a name")
    };
    peer.send(
        1,
        Message::Request(head(RouteRef::Named(2, names.clone())), body.clone()),
    )
    .await;
    assert_eq!(peer.frame().await.unwrap().call, 1);
    peer.send(2, Message::Request(head(RouteRef::Named(3, names)), body))
        .await;
    assert!(peer.last_words().await.contains("route number 3"));
    bystander.is_untouched().await;
}

#[tokio::test]
async fn a_peer_that_never_reads_its_answers_costs_the_limit_and_is_closed() {
    let limits = Limits {
        max_unwritten: 256 * 1024,
        write_timeout: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = serve(limits).await;
    let bystander = Bystander::beside(&server).await;
    let mut peer = Peer::greeted(&server).await;
    // Answers of 1 MiB each, none of which is read: the server stops reading calls, and then hangs up.
    let calls =
        (1..).map(|call| encode(call, request("bench", "blob", b"\x91\xce\x00\x10\x00\x00")));
    peer.send_until_closed(calls).await;
    bystander.is_untouched().await;
    let mut answers = 0;
    while let Some(frame) = peer.frame().await {
        answers += usize::from(matches!(frame.message, Message::Response(..)));
    }
    assert!(
        answers < 100,
        "{answers} answers were made for a peer that did not read"
    );
    bystander.is_untouched().await;
}
