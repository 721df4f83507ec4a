//! Servers of MessagePack-RPC among the instances of a cluster.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use doge_rpc::{
    client::{
        Balancing, ChannelConfig, ChannelPool, Cluster, ClusterBuilder, LoadBalancing,
        MsgpackRpcConfig,
    },
    prelude::*,
    registry::{Instance, Memory, ServiceKey, Static},
};

use crate::{
    common::{patient, soon, until, until_called},
    peer::{Calculator, CalculatorClient, CalculatorServer, Line, Noted, Peer, Served, at_most},
};

/// A native server, which answers with 1.
struct Native;

impl Calculator for Native {
    async fn sum(&self, _: u32, _: u32) -> Result<u32, Status> {
        Ok(1)
    }

    async fn add(&self, _: u32) -> Result<u32, Status> {
        Ok(1)
    }
}

fn in_turn(addresses: &[&str]) -> ClusterBuilder {
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses(addresses.iter().copied()));
    in_turn_of(&registry)
}

fn in_turn_of(registry: &Arc<dyn Registry>) -> ClusterBuilder {
    let balancing = Balancing {
        policy: LoadBalancing::RoundRobin,
        slow_start: None,
        ..Balancing::default()
    };
    CalculatorClient::cluster()
        .registry(registry)
        .pool(&ChannelPool::default())
        .balancing(balancing)
}

/// Follows, and waits until all are connected.
async fn follow(builder: ClusterBuilder) -> (Cluster, CalculatorClient) {
    let cluster = builder.follow().await.unwrap();
    until(|| cluster.stats().endpoints.iter().all(|it| it.connected)).await;
    (
        cluster.clone(),
        CalculatorClient::new(cluster).with(patient()),
    )
}

/// Answers with 2, and notes which methods are called.
async fn scripted(noted: &Noted<String>) -> Served {
    let noted = Arc::clone(noted);
    Peer::listen().await.serve(move |mut line: Line| {
        let noted = Arc::clone(&noted);
        async move {
            while let Some(asked) = line.next().await {
                noted.lock().unwrap().push(asked.method);
                line.answer(asked.id, b"\x02").await;
            }
        }
    })
}

#[tokio::test]
async fn native_servers_and_others_share_the_calls_of_one_service() {
    let native = Server::builder().add(CalculatorServer::new(Native));
    let native = native.start("tcp://127.0.0.1:0").await.unwrap();
    let (doge, plain) = (Noted::default(), Noted::default());
    let (doge_server, plain_server) = (scripted(&doge).await, scripted(&plain).await);
    let addresses = [
        &native.address().to_string(),
        // As doge registers itself.
        &doge_server.place.to_string(),
        &format!("msgpack-rpc://{}", plain_server.place),
    ];
    let (cluster, client) = follow(in_turn(&addresses.map(String::as_str))).await;
    let mut answers = [0; 3];
    for _ in 0..30 {
        answers[client.add(1).await.unwrap() as usize] += 1;
    }
    assert_eq!(answers, [0, 10, 20]);
    assert_eq!(
        (doge.lock().unwrap().len(), plain.lock().unwrap().len()),
        (10, 10)
    );
    let mut at: Vec<_> = cluster
        .stats()
        .endpoints
        .into_iter()
        .map(|it| it.address)
        .collect();
    at.sort();
    assert_eq!(
        at,
        [
            doge_server.doge(),
            addresses[2].clone(),
            addresses[0].clone()
        ]
    );
}

#[tokio::test]
async fn of_a_process_that_is_registered_in_both_dialects_the_native_one_is_called() {
    let native = Server::builder().add(CalculatorServer::new(Native));
    let native = native.start("tcp://127.0.0.1:0").await.unwrap();
    let address = native.address().to_string();
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let mirrored = address.replace("tcp://", "");
    let mut registrations = Vec::new();
    for address in [address.clone(), mirrored] {
        let instance = Instance::new(ServiceKey::new("calculator"), address);
        registrations.push(registry.register(instance).await.unwrap());
    }
    let (cluster, client) = follow(in_turn_of(&registry)).await;
    assert_eq!(cluster.addresses(), [address]);
    assert_eq!(client.add(1).await, Ok(1));
}

#[tokio::test]
async fn a_call_whose_server_hangs_up_goes_on_elsewhere_only_if_it_may_run_twice() {
    let hangs_up = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hangs_up);
    let breaking = Peer::listen().await.serve(move |mut line: Line| {
        let counted = Arc::clone(&counted);
        async move {
            let asked = line.next().await;
            counted.fetch_add(usize::from(asked.is_some()), Ordering::SeqCst);
        }
    });
    let good = scripted(&Noted::default()).await;
    let (cluster, client) = follow(in_turn(&[&breaking.doge(), &good.doge()])).await;
    // Each goes to one and then to the other.
    let mut failed = 0;
    for _ in 0..2 {
        match client.add(1).await {
            Ok(answer) => assert_eq!(answer, 2),
            Err(status) => {
                assert_eq!(status.code(), Code::Unavailable);
                assert!(!status.never_ran());
                failed += 1;
            }
        }
    }
    assert_eq!((failed, hangs_up.load(Ordering::SeqCst)), (1, 1));
    assert_eq!(cluster.stats().retries, 0);
    for _ in 0..4 {
        assert_eq!(client.sum(1, 2).await, Ok(2));
    }
    let hung_up = hangs_up.load(Ordering::SeqCst) - 1;
    assert!(hung_up > 0);
    assert_eq!(cluster.stats().retries, hung_up as u64);
}

#[tokio::test]
async fn a_server_that_hangs_up_at_each_call_is_put_out_of_rotation() {
    let breaking = Peer::listen().await.serve(|mut line: Line| async move {
        line.next().await;
    });
    let good = scripted(&Noted::default()).await;
    let (cluster, client) = follow(in_turn(&[&breaking.doge(), &good.doge()])).await;
    until_called(async || {
        assert_eq!(client.sum(1, 2).await, Ok(2));
        cluster.stats().ejections > 0
    })
    .await;
    let stats = cluster.stats();
    let ejected: Vec<_> = stats.endpoints.iter().filter(|it| it.ejected).collect();
    assert_eq!(ejected.len(), 1);
    assert_eq!(ejected[0].address, breaking.doge());
}

#[tokio::test]
async fn an_error_of_the_application_is_the_answer_and_no_failure_of_the_server() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let raising = Peer::listen().await.serve(move |mut line: Line| {
        let counted = Arc::clone(&counted);
        async move {
            while let Some(asked) = line.next().await {
                counted.fetch_add(1, Ordering::SeqCst);
                line.error(asked.id, b"\xa4boom").await;
            }
        }
    });
    let other = scripted(&Noted::default()).await;
    let (cluster, client) = follow(in_turn(&[&raising.doge(), &other.doge()])).await;
    let mut raised = 0;
    for _ in 0..40 {
        raised += usize::from(client.sum(1, 2).await == Err(Status::unknown("boom")));
    }
    assert_eq!(
        (raised, asked.load(Ordering::SeqCst)),
        (20, 20),
        "none was made again"
    );
    let stats = cluster.stats();
    assert_eq!((stats.retries, stats.ejections), (0, 0));
}

/// In doge, most of these failed for want of a connection, and the server was taken for dead.
#[tokio::test]
async fn more_slow_calls_than_connections_are_no_failure_of_the_server() {
    let slow = Peer::listen().await.serve(|mut line: Line| async move {
        while let Some(asked) = line.next().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
            line.answer(asked.id, b"\x02").await;
        }
    });
    let other = scripted(&Noted::default()).await;
    let config = ChannelConfig {
        msgpack_rpc: at_most(3),
        ..ChannelConfig::default()
    };
    let builder = in_turn(&[&slow.doge(), &other.doge()]).channel(config);
    let (cluster, client) = follow(builder).await;
    let calls: Vec<_> = (0..40)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.add(1).await })
        })
        .collect();
    for call in calls {
        assert_eq!(soon(call).await.unwrap(), Ok(2));
    }
    let stats = cluster.stats();
    assert_eq!((stats.retries, stats.ejections), (0, 0));
    assert!(slow.accepted() <= 3, "{}", slow.accepted());
}

#[tokio::test]
async fn a_server_that_is_gone_costs_no_call_and_is_called_again_when_it_is_back() {
    let noted = Noted::default();
    let (one, other) = (scripted(&Noted::default()).await, scripted(&noted).await);
    let (cluster, client) = follow(in_turn(&[&one.doge(), &other.doge()])).await;
    for _ in 0..4 {
        assert_eq!(client.add(1).await, Ok(2));
    }
    let place = one.kill().await;
    // What is not to be done twice never fails, for none of it began there.
    for _ in 0..20 {
        assert_eq!(client.add(1).await, Ok(2));
    }
    assert_eq!(cluster.stats().retries, 0);
    let back = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&back);
    let _back = Peer::listen_at(place).await.serve(move |mut line: Line| {
        let counted = Arc::clone(&counted);
        async move {
            while let Some(asked) = line.next().await {
                *counted.lock().unwrap() += 1;
                line.answer(asked.id, b"\x02").await;
            }
        }
    });
    until_called(async || client.add(1).await.is_ok() && *back.lock().unwrap() > 0).await;
}

#[tokio::test]
async fn a_server_that_ends_under_many_calls_has_failed_once() {
    let (dying, other) = (Peer::listen().await, scripted(&Noted::default()).await);
    let config = ChannelConfig {
        msgpack_rpc: MsgpackRpcConfig::default(),
        ..ChannelConfig::default()
    };
    let builder = in_turn(&[&dying.doge(), &other.doge()]).channel(config);
    let (cluster, client) = follow(builder).await;
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.add(1).await })
        })
        .collect();
    let mut lines = Vec::new();
    for _ in 0..10 {
        let mut line = dying.accept().await;
        line.request().await;
        lines.push(line);
    }
    drop((lines, dying));
    let mut failed = 0;
    for call in calls {
        failed += usize::from(soon(call).await.unwrap().is_err());
    }
    assert_eq!(failed, 10);
    assert_eq!(cluster.stats().ejections, 0);
}
