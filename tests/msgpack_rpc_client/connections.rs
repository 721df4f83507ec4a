//! What becomes of connections: one call at a time on each, no more than so many, and none that lost step.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use doge_rpc::{client::MsgpackRpcConfig, prelude::*};

use crate::{
    common::{patient, soon, until, until_called},
    peer::{
        Calculator, CalculatorClient, Line, Noted, Peer, answer, at_most, channel, client, hasty,
    },
};

#[tokio::test]
async fn calls_at_once_take_a_connection_each_and_those_after_take_turns() {
    let peer = Peer::listen().await;
    let client = client(&peer.doge(), at_most(3));
    let calls: Vec<_> = (0..9)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move { client.sum(number, 0).await })
        })
        .collect();
    let mut lines = Vec::new();
    for _ in 0..3 {
        lines.push(peer.accept().await);
    }
    // None is answered before all have one: so three are in flight. That there are never two on one, `next` sees to.
    for _ in 0..3 {
        let mut asked = Vec::new();
        for line in &mut lines {
            asked.push(line.request().await.id);
        }
        for (line, id) in lines.iter_mut().zip(asked) {
            line.answer(id, b"\x07").await;
        }
    }
    for call in calls {
        assert_eq!(soon(call).await.unwrap(), Ok(7));
    }
    for line in &mut lines {
        assert!(line.is_silent(), "nothing more was asked");
    }
    assert!(peer.has_no_more().await, "no fourth connection was made");
}

#[tokio::test]
async fn those_who_wait_for_a_connection_get_it_in_the_order_in_which_they_came() {
    let order: Noted<u32> = Noted::default();
    let peer = Peer::listen().await;
    let channel = channel(&peer.doge(), at_most(1));
    channel.ready().await.unwrap();
    let client = CalculatorClient::new(channel).with(patient());
    let mut calls = Vec::new();
    for number in 0..10 {
        let (client, order) = (client.clone(), Arc::clone(&order));
        calls.push(tokio::spawn(async move {
            client.sum(number, 0).await.unwrap();
            order.lock().unwrap().push(number);
        }));
        // On this thread, so that each is in the queue before the next one begins.
        tokio::task::yield_now().await;
    }
    let mut line = peer.accept().await;
    for number in 0..10 {
        let asked = line.request().await;
        assert_eq!(asked.bytes[asked.bytes.len() - 2..], [number, 0]);
        line.answer(asked.id, b"\x00").await;
    }
    for call in calls {
        soon(call).await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_waits_for_a_connection_until_its_deadline_never_ran() {
    let peer = Peer::listen().await;
    let client = client(&peer.doge(), at_most(1));
    let first = {
        let client = client.clone();
        tokio::spawn(async move { client.sum(1, 2).await })
    };
    let mut line = peer.accept().await;
    let asked = line.request().await;
    let status = client.with(hasty()).add(1).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(status.never_ran());
    let why = "no free connection of at most 1 (MsgpackRpcConfig::connections) within 50ms";
    assert!(status.message().ends_with(why), "{status}");
    line.answer(asked.id, b"\x03").await;
    assert_eq!(
        soon(first).await.unwrap(),
        Ok(3),
        "who was there first is left alone"
    );
}

/// In doge, each later call on that connection got the answer to the one before.
#[tokio::test]
async fn the_connection_of_a_call_that_timed_out_is_closed_and_its_late_answer_reaches_nobody() {
    let peer = Peer::listen().await;
    let client = client(&peer.doge(), at_most(1));
    let call = {
        let client = client.with(hasty());
        tokio::spawn(async move { client.sum(1, 2).await })
    };
    let mut late = peer.accept().await;
    let asked = late.request().await;
    let status = soon(call).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(!status.never_ran());
    assert!(
        status.message().starts_with("calculator/sum at doge://")
            && status.message().contains(": no answer within "),
        "{status}"
    );

    let next = tokio::spawn(async move { client.sum(1, 2).await });
    let mut line = peer.accept().await;
    let second = line.request().await;
    late.answer(asked.id, b"\x63").await;
    late.until_closed().await;
    line.answer(second.id, b"\x03").await;
    assert_eq!(soon(next).await.unwrap(), Ok(3));
}

#[tokio::test]
async fn the_connection_of_a_call_that_was_given_up_is_closed() {
    let peer = Peer::listen().await;
    let client = client(&peer.doge(), at_most(1));
    let call = {
        let client = client.clone();
        tokio::spawn(async move { client.sum(1, 2).await })
    };
    let mut given_up = peer.accept().await;
    given_up.request().await;
    call.abort();
    given_up.until_closed().await;

    let next = tokio::spawn(async move { client.sum(1, 2).await });
    let mut line = peer.accept().await;
    let asked = line.request().await;
    line.answer(asked.id, b"\x03").await;
    assert_eq!(soon(next).await.unwrap(), Ok(3));
}

#[tokio::test]
async fn connections_that_the_server_closed_while_idle_fail_no_call() {
    let peer = Peer::listen().await;
    let client = client(&peer.doge(), MsgpackRpcConfig::default());
    for _ in 0..10 {
        let calls: Vec<_> = (0..4)
            .map(|_| {
                let client = client.clone();
                // Not to be done twice: it would fail.
                tokio::spawn(async move { client.add(1).await })
            })
            .collect();
        let mut lines = Vec::new();
        for _ in 0..4 {
            let mut line = peer.accept().await;
            let asked = line.request().await;
            lines.push((line, asked.id));
        }
        for (line, id) in &mut lines {
            line.answer(*id, b"\x01").await;
        }
        for call in calls {
            assert_eq!(soon(call).await.unwrap(), Ok(1));
        }
        // Now all are idle, and closed at once: the client's runtime has not heard of it yet.
        drop(lines);
    }
}

#[tokio::test]
async fn a_server_that_is_restarted_between_calls_fails_none() {
    let answers = |line: Line| line.answer_all(b"\x01");
    let mut server = Peer::listen().await.serve(answers);
    let client = client(&server.doge(), MsgpackRpcConfig::default());
    for _ in 0..10 {
        assert_eq!(client.add(1).await, Ok(1));
        let place = server.kill().await;
        server = Peer::listen_at(place).await.serve(answers);
    }
}

#[tokio::test]
async fn what_comes_unasked_costs_the_connection_and_no_call() {
    for unasked in [
        &b"\x94\x01\x02\xc0\x63"[..],
        b"\x93\x02\xa1n\x90",
        b"\x94\x00\x01\xa1m\x90",
        b"x",
    ] {
        // With the answer, and after it.
        for together in [true, false] {
            let peer = Peer::listen().await;
            let client = client(&peer.doge(), MsgpackRpcConfig::default());
            let call = {
                let client = client.clone();
                tokio::spawn(async move { client.add(1).await })
            };
            let mut line = peer.accept().await;
            assert_eq!(line.request().await.id, 1);
            let answer = answer(1, b"\xc0", b"\x01");
            if together {
                line.send(&[&answer, unasked].concat()).await;
                assert_eq!(soon(call).await.unwrap(), Ok(1));
            } else {
                line.send(&answer).await;
                assert_eq!(soon(call).await.unwrap(), Ok(1));
                line.send(unasked).await;
            }
            let next = tokio::spawn(async move { client.add(1).await });
            let mut other = peer.accept().await;
            let asked = other.request().await;
            other.answer(asked.id, b"\x02").await;
            assert_eq!(soon(next).await.unwrap(), Ok(2), "{unasked:02x?}");
            line.until_closed().await;
        }
    }
}

/// It comes when the connection is in use again, so that nobody can have seen it before.
#[tokio::test]
async fn a_second_answer_to_an_earlier_call_costs_no_call() {
    for stray in [
        &b"\x94\x01\x01\xc0\x63"[..],
        b"\x94\x01\x01\xa4boom\xc0",
        b"\x93\x02\xa1n\x90",
    ] {
        let peer = Peer::listen().await;
        let client = client(&peer.doge(), at_most(1));
        let calls = tokio::spawn(async move {
            [
                client.add(1).await,
                client.add(1).await,
                client.add(1).await,
            ]
        });
        let mut line = peer.accept().await;
        assert_eq!(line.request().await.id, 1);
        line.answer(1, b"\x01").await;
        assert_eq!(line.request().await.id, 2);
        line.send(stray).await;
        line.send(stray).await;
        line.answer(2, b"\x02").await;
        assert_eq!(line.request().await.id, 3);
        line.answer(3, b"\x03").await;
        assert_eq!(soon(calls).await.unwrap(), [Ok(1), Ok(2), Ok(3)]);
        assert!(peer.has_no_more().await, "over one connection");
    }
}

#[tokio::test]
async fn a_server_that_says_no_end_of_things_fails_the_call() {
    let peer = Peer::listen().await;
    let client = client(&peer.doge(), at_most(1));
    let call = tokio::spawn(async move { client.add(1).await });
    let mut line = peer.accept().await;
    line.request().await;
    line.send(&b"\x93\x02\xa1n\x90".repeat(1000)).await;
    let status = soon(call).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("no end of them"), "{status}");
    line.until_closed().await;
}

/// Python doge with `limitConn`: the system accepts any number of connections, and the server takes the next one when one
/// of those that it serves is closed.
#[tokio::test]
async fn calls_on_connections_that_the_server_does_not_serve_get_the_turn_of_others() {
    let served = Arc::new(tokio::sync::Semaphore::new(4));
    let permits = Arc::clone(&served);
    let peer = Peer::listen().await.serve(move |line: Line| {
        let permits = Arc::clone(&permits);
        async move {
            let _permit = permits.acquire().await.unwrap();
            line.answer_all(b"\x01").await;
        }
    });
    let channel = channel(&peer.doge(), MsgpackRpcConfig::default());
    let client = CalculatorClient::new(channel).with(patient());
    let callers: Vec<_> = (0..32)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..15 {
                    // Not to be done twice: each call that fails is seen here.
                    assert_eq!(client.add(1).await, Ok(1));
                }
            })
        })
        .collect();
    for caller in callers {
        soon(caller).await.unwrap();
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_never_ran_the_call_and_is_called_once_somebody_does() {
    let peer = Peer::listen().await;
    let (place, address) = (peer.place(), peer.doge());
    drop(peer);
    let channel = channel(&address, MsgpackRpcConfig::default());
    let client = CalculatorClient::new(channel.clone()).with(patient());
    let status = client.add(1).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.never_ran());
    assert!(
        status
            .message()
            .starts_with(&format!("no connection to {address}")),
        "{status}"
    );
    assert!(channel.is_down());

    let _server = Peer::listen_at(place)
        .await
        .serve(|line| line.answer_all(b"\x01"));
    until_called(async || client.add(1).await == Ok(1)).await;
    assert!(channel.is_connected());
}

#[tokio::test]
async fn those_who_wait_are_told_when_no_connection_can_be_made_any_more() {
    let peer = Peer::listen().await;
    let channel = channel(&peer.doge(), at_most(1));
    let client = CalculatorClient::new(channel.clone()).with(patient());
    let calls: Vec<_> = (0..5)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.add(1).await })
        })
        .collect();
    let mut line = peer.accept().await;
    line.request().await;
    // The first may have run. For the second there is no server any more, and so for none.
    drop((line, peer));
    let mut ran = 0;
    for call in calls {
        let status = soon(call).await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        ran += usize::from(!status.never_ran());
    }
    assert_eq!(ran, 1);
    until(|| channel.is_down()).await;
}

#[tokio::test]
async fn clients_hang_up_when_they_are_gone() {
    let peer = Peer::listen().await;
    let client = client(&peer.doge(), MsgpackRpcConfig::default());
    let called = Arc::new(AtomicUsize::new(0));
    let call = {
        let (client, called) = (client.clone(), Arc::clone(&called));
        tokio::spawn(async move {
            client.sum(1, 2).await.unwrap();
            called.fetch_add(1, Ordering::SeqCst);
        })
    };
    let mut line = peer.accept().await;
    let asked = line.request().await;
    line.answer(asked.id, b"\x03").await;
    soon(call).await.unwrap();
    assert_eq!(called.load(Ordering::SeqCst), 1);
    drop(client);
    line.until_closed().await;
}
