//! Calls that are refused before they are dispatched: one refusal with its reason, and nothing else.

use doge_rpc::{
    Code,
    client::Client,
    connection::Limits,
    observe::RefusalReason,
    protocol::{Message, RouteRef},
};

use crate::{
    common::{soon, until},
    peer::{Peer, encode, request},
    recorder::Seen,
    subject::{Subject as _, SubjectClient, layered},
    world::World,
};

impl World {
    /// Waits until one call of this method was refused so, and checks that this was all.
    async fn refused(&self, method: &str, reason: RefusalReason) {
        self.recorder.until_refused(reason, 1).await;
        let refused = self.recorder.count(|it| matches!(it, Seen::Refused(..)));
        assert_eq!(refused, 1);
        let this = Seen::Refused(method.into(), reason);
        assert_eq!(
            self.recorder.count(|it| *it == this),
            1,
            "{:?}",
            self.recorder.all()
        );
        let stats = self.server.stats();
        let stats = stats.methods.iter().find(|it| it.method == method).unwrap();
        assert_eq!(stats.refused, [(reason, 1)].into());
    }
}

#[tokio::test]
async fn a_method_or_a_service_that_does_not_exist() {
    for with_layers in [false, true] {
        for scheme in ["tcp://", "doge://"] {
            for service in ["subject", "nothing"] {
                let world = World::with(|server| match with_layers {
                    true => layered(server, 10),
                    false => server,
                });
                let world = world.await;
                let address = world.server.address().to_string().replace("tcp://", scheme);
                let client = Client::connect(address.as_str()).unwrap().untyped(service);
                let error = client.call::<()>("made_up", ()).await.unwrap_err();
                assert!(
                    scheme != "tcp://" || error.code() == Code::Unimplemented,
                    "{error:?}"
                );
                world.refused("_OTHER", RefusalReason::UnknownMethod).await;
                assert_eq!(world.server.stats().other().unwrap().started, 0);
                world.recorder.agrees_with(&world.server);
            }
        }
    }
}

#[tokio::test]
async fn a_full_server() {
    let world = World::with(|server| server.max_calls(1)).await;
    let (client, other) = (world.client(), world.client());
    let call = tokio::spawn(async move { client.hang().await });
    world.handlers.until_running(1).await;
    assert_eq!(world.server.stats().calls_running, 1);
    let error = other.fail(true, 5).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    world.refused("fail", RefusalReason::ServerFull).await;
    call.abort();
    world.recorder.until_ended(1).await;
    world.recorder.agrees_with(&world.server);
}

#[tokio::test]
async fn a_full_connection() {
    let limits = Limits {
        max_calls: 1,
        ..Limits::default()
    };
    let world = World::with(|server| server.limits(limits)).await;
    // Our own client keeps to what the server says.
    let mut peer = Peer::greeted(&world.server).await;
    peer.call(1, "subject", "hang", b"\x90").await;
    world.handlers.until_running(1).await;
    peer.call(2, "subject", "answer", b"\x91\xc2").await;
    assert_eq!(peer.status(2).await.code(), Code::ResourceExhausted);
    world.refused("answer", RefusalReason::ConnectionFull).await;
    drop(peer);
    world.recorder.until_ended(1).await;
    world.recorder.agrees_with(&world.server);
}

#[tokio::test]
async fn a_call_without_time() {
    let world = World::new().await;
    let mut peer = Peer::greeted(&world.server).await;
    let Message::Request(mut head, body) = request("subject", "answer", b"\x91\xc2") else {
        unreachable!("a request")
    };
    head.timeout = 0;
    peer.send(1, Message::Request(head, body)).await;
    assert_eq!(peer.status(1).await.code(), Code::DeadlineExceeded);
    world.refused("answer", RefusalReason::Late).await;
    world.recorder.agrees_with(&world.server);
}

/// More than what is noted at once.
#[tokio::test]
async fn many_refusals_in_one_read() {
    const CALLS: u64 = 1_000;
    let world = World::new().await;
    let mut peer = Peer::greeted(&world.server).await;
    let mut bytes = Vec::new();
    for call in 1..=CALLS {
        let Message::Request(mut head, body) = request("subject", "answer", b"\x91\xc2") else {
            unreachable!("a request")
        };
        head.timeout = 0;
        bytes.extend_from_slice(&encode(call, Message::Request(head, body)));
    }
    bytes.extend_from_slice(&encode(
        CALLS + 1,
        request("subject", "answer", b"\x91\xc2"),
    ));
    peer.send_bytes(&bytes).await;
    for call in 1..=CALLS {
        assert_eq!(peer.status(call).await.code(), Code::DeadlineExceeded);
    }
    assert_eq!(peer.frame().await.unwrap().call, CALLS + 1);
    let late = usize::try_from(CALLS).unwrap();
    world
        .recorder
        .until_refused(RefusalReason::Late, late)
        .await;
    world.recorder.until_ended(1).await;
    world.recorder.agrees_with(&world.server);
}

#[tokio::test]
async fn a_call_to_a_server_that_drains() {
    let world = World::new().await;
    let mut peer = Peer::greeted(&world.server).await;
    peer.call(1, "subject", "hang", b"\x90").await;
    world.handlers.until_running(1).await;
    // Its figures are gone with it.
    let draining = tokio::spawn(world.server.drain());
    let goaway = peer.frame().await.unwrap();
    assert!(matches!(goaway.message, Message::GoAway(_)), "{goaway:?}");
    peer.call(2, "subject", "answer", b"\x91\xc2").await;
    assert_eq!(peer.status(2).await.code(), Code::Unavailable);
    world
        .recorder
        .until_refused(RefusalReason::Draining, 1)
        .await;
    let this = Seen::Refused("answer".into(), RefusalReason::Draining);
    assert_eq!(world.recorder.count(|it| *it == this), 1);
    drop(peer);
    world.recorder.until_ended(1).await;
    soon(draining).await.unwrap();
}

#[tokio::test]
async fn a_call_that_is_cancelled_before_it_can_run() {
    let world = World::new().await;
    let mut peer = Peer::greeted(&world.server).await;
    let call = encode(1, request("subject", "answer", b"\x91\xc2"));
    let cancel = encode(1, Message::Cancel(None));
    let next = encode(2, request("subject", "answer", b"\x91\xc2"));
    // In one read.
    peer.send_bytes(&[&call[..], &cancel[..], &next[..]].concat())
        .await;
    let answer = peer.frame().await.unwrap();
    assert_eq!(answer.call, 2, "nobody wants the first answer");
    world.refused("answer", RefusalReason::Cancelled).await;
    world.recorder.until_ended(1).await;
    world.recorder.agrees_with(&world.server);
}

#[tokio::test]
async fn what_a_peer_makes_up_is_no_label() {
    let world = World::new().await;
    let mut peer = Peer::greeted(&world.server).await;
    for call in 1..=100_u64 {
        let method = format!("made_up_{call}");
        peer.call(call, "subject", &method, b"\x90").await;
        assert_eq!(peer.status(call).await.code(), Code::Unimplemented);
    }
    let methods = SubjectClient::schema().methods().len() + 1;
    until(|| world.recorder.count(|it| matches!(it, Seen::Refused(..))) == 100).await;
    let stats = world.server.stats();
    assert_eq!(stats.methods.len(), methods);
    let refused = [(RefusalReason::UnknownMethod, 100)];
    assert_eq!(stats.other().unwrap().refused, refused.into());
    world.recorder.agrees_with(&world.server);
}

#[tokio::test]
async fn requests_of_msgpack_rpc_that_cannot_be_read() {
    // No method, and a timeout that is over when the call comes.
    let cases: [(&[u8], &str, RefusalReason); 2] = [
        (b"\x94\x00\x01\x07\x90", "_OTHER", RefusalReason::Malformed),
        (
            b"\x94\x00\x01\xa6answer\x92\x81\xafdoge-timeout-ms\x00\xc2",
            "answer",
            RefusalReason::Late,
        ),
    ];
    for (bytes, method, reason) in cases {
        let world = World::new().await;
        let mut peer = Peer::connect(&world.server).await;
        peer.send_bytes(bytes).await;
        world.refused(method, reason).await;
        world.recorder.agrees_with(&world.server);
    }
}

/// A known number is resolved like a name.
#[tokio::test]
async fn a_route_by_number_is_counted_as_its_method() {
    let world = World::new().await;
    let mut peer = Peer::greeted(&world.server).await;
    let Message::Request(mut head, body) = request("subject", "answer", b"\x91\xc2") else {
        unreachable!("a request")
    };
    let RouteRef::Named(_, names) = head.route else {
        unreachable!("a name")
    };
    head.route = RouteRef::Named(1, names);
    peer.send(1, Message::Request(head.clone(), body.clone()))
        .await;
    head.route = RouteRef::Known(1);
    peer.send(2, Message::Request(head, body)).await;
    world.recorder.until_ended(2).await;
    assert_eq!(
        world
            .server
            .stats()
            .method("subject", "answer")
            .unwrap()
            .started,
        2
    );
    world.recorder.agrees_with(&world.server);
}
