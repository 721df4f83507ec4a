//! Defects 5, 11 and 14: when an instance counts as down, and when it is back.

use std::{sync::Arc, time::Duration};

use doge_rpc::{
    client::{ChannelConfig, ChannelPool},
    connection::Limits,
    prelude::*,
    registry::Static,
    transport::Listener,
};
use futures_util::future::join_all;

use crate::common::{
    Act, Fleet, Handlers, Probe, ProbeClient, ProbeServer, patient, soon, until, until_called,
};

// Once down for ten seconds, an instance stayed out for ever; meanwhile it was dialled 7,812 times in a second.
#[tokio::test(start_paused = true)]
async fn defect_05_an_instance_that_was_away_for_long_is_back_and_was_dialled_in_moderation() {
    let address = "memory://away-for-long".parse().unwrap();
    let dials = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let refuses = tokio::spawn({
        let (listener, dials) = (Listener::bind(&address).await.unwrap(), Arc::clone(&dials));
        async move {
            while listener.accept().await.is_ok() {
                dials.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        }
    });
    // doge calls such a list direct, and what was on it never healed.
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses([address.to_string()]));
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    client.read(1).await.unwrap_err();
    let dials = dials.load(std::sync::atomic::Ordering::SeqCst);
    // Once in 30 s, give or take, and quicker at first.
    assert!((20..60).contains(&dials), "{dials}");

    refuses.abort();
    let _ = refuses.await;
    let handlers = Handlers::new(7, &Default::default());
    let server = Server::builder().add(ProbeServer::new(handlers));
    let _server = server.start(&address).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(client.read(1).await.unwrap(), 7);
}

// Nothing but a new entry in etcd brought an instance back.
#[tokio::test]
async fn defect_05_an_instance_is_back_without_a_word_from_the_registry() {
    let mut fleet = Fleet::of(1).await;
    let (_cluster, client) = fleet.follow(fleet.cluster()).await;
    let replica = &mut fleet.replicas[0];
    replica.server.take();
    replica.proxy.cut();
    // More failures than the ten that counted.
    for _ in 0..20 {
        client.read(1).await.unwrap_err();
    }
    let again = Server::builder().add(ProbeServer::new(replica.handlers.clone()));
    let again = again.start("tcp://127.0.0.1:0").await.unwrap();
    replica.proxy.forward_to(&again.address().to_string());
    until_called(async || client.read(1).await.is_ok()).await;
}

// A call of an unknown method ended the connection without a word, and ten of them marked a healthy instance down.
#[tokio::test]
async fn defect_11_an_unknown_method_is_an_answer_and_no_failure_of_the_instance() {
    let fleet = Fleet::of(2).await;
    let (cluster, client) = fleet.follow(fleet.cluster()).await;
    let by_name = Client::from(cluster.clone()).with(patient());
    for _ in 0..50 {
        let answer: Result<(), Status> = by_name.call_by_name("probe", "dance", &[(); 0]).await;
        let status = answer.unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented);
        assert!(status.message().contains("dance"), "{status}");
    }
    let stats = cluster.stats();
    // Each call asked both, for one of them might have been of a newer version.
    assert_eq!((stats.attempts, stats.ejections), (100, 0));
    client.read(1).await.unwrap();
    for replica in &fleet.replicas {
        assert_eq!(replica.proxy.accepted(), 1, "the connection lives on");
    }
}

// A pool of three sockets: of 20 calls at once to a healthy instance 14 failed, counted against it, and it went down.
#[tokio::test]
async fn defect_14_many_calls_at_once_share_one_connection_and_all_succeed() {
    let fleet = Fleet::of(1).await;
    let (cluster, client) = fleet.follow(fleet.cluster()).await;
    fleet.all(&Act::Gate);
    let calls: Vec<_> = (0..500)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.write().await })
        })
        .collect();
    let replica = &fleet.replicas[0];
    replica.handlers.until_running(500).await;
    assert_eq!(replica.proxy.accepted(), 1);
    until(|| {
        replica.handlers.open_gate();
        calls.iter().all(tokio::task::JoinHandle::is_finished)
    })
    .await;
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(cluster.stats().ejections, 0);
}

// And a full pool is no business of the instance: callers wait for room.
#[tokio::test]
async fn defect_14_a_full_connection_makes_callers_wait() {
    let fleet = Fleet::of(1).await;
    let pool = ChannelPool::new(ChannelConfig {
        limits: Limits {
            max_calls: 3,
            ..Limits::default()
        },
        ..ChannelConfig::default()
    });
    let (cluster, client) = fleet.follow(fleet.cluster().pool(&pool)).await;
    fleet.all(&Act::Take(Duration::from_millis(10)));
    for answer in soon(join_all((0..20).map(|_| client.write()))).await {
        answer.unwrap();
    }
    assert!(fleet.replicas[0].handlers.most_running() <= 3);
    assert_eq!(cluster.stats().ejections, 0);
}
