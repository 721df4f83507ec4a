//! A Rust client of both.

use std::sync::Arc;

use doge_interop::{Methods as _, MethodsClient};
use doge_rpc::{
    Code,
    client::{Balancing, ChannelPool, Cluster, LoadBalancing},
    registry::{Registry, Static},
};
use doge_test_support::eventually_async;
use tokio::task::block_in_place;

use super::{
    load::{CALLERS, Load},
    members::{Kind, Member},
};

/// A cluster of these, in turn, connected to all of them.
async fn cluster(members: &[Member]) -> Cluster {
    let entries = members.iter().map(Member::entry);
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses(entries));
    let balancing = Balancing {
        policy: LoadBalancing::RoundRobin,
        slow_start: None,
        ..Balancing::default()
    };
    let cluster = MethodsClient::cluster()
        .registry(&registry)
        .pool(&ChannelPool::default())
        .balancing(balancing);
    let cluster = cluster.follow().await.unwrap();
    for member in members {
        until(&cluster, member, true).await;
    }
    cluster
}

/// Waits until there is a connection to it, or none any more.
async fn until(cluster: &Cluster, member: &Member, connected: bool) {
    let place = format!("127.0.0.1:{}", member.port);
    let what = format!("{place} is connected: {connected}");
    eventually_async(crate::LIMIT, &what, async || {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let endpoints = cluster.stats().endpoints;
        let here = endpoints.iter().find(|it| it.address.ends_with(&place));
        (here.is_some_and(|it| it.connected) == connected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn all_kinds_of_instances_share_the_calls() {
    let kinds = [Kind::Python, Kind::PlainPython, Kind::Rust];
    let members = kinds.map(Member::start);
    let cluster = cluster(&members).await;
    let client = MethodsClient::new(cluster);
    let mut counts = Vec::new();
    for _ in 0..30 {
        counts.push(client.count().await.unwrap());
    }
    counts.sort_unstable();
    let each: Vec<_> = (1..=10).flat_map(|count| [count; 3]).collect();
    assert_eq!(counts, each);
}

/// Kills the first under load, starts it again, and then kills the other.
async fn kill_one_after_the_other(kinds: [Kind; 2]) {
    let mut members = kinds.map(Member::start);
    let cluster = cluster(&members).await;
    let load = Load::start(&cluster);
    load.go_on_for(500).await;
    members[0].kill();
    // The other takes over, on its own.
    load.go_on_for(2000).await;
    until(&cluster, &members[0], false).await;

    block_in_place(|| members[0].restart());
    until(&cluster, &members[0], true).await;
    load.go_on_for(500).await;
    members[1].kill();
    load.go_on_for(2000).await;
    let failed = load.stop().await;

    assert!(failed.idempotent.is_empty(), "{failed:?}");
    // Only what was in flight there, each of which may have run.
    assert!(failed.others.len() <= 2 * CALLERS, "{failed:?}");
    for status in &failed.others {
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        assert!(!status.never_ran(), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_is_killed_and_comes_back_and_then_rust_is_killed() {
    kill_one_after_the_other([Kind::Python, Kind::Rust]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rust_is_killed_and_comes_back_and_then_python_is_killed() {
    kill_one_after_the_other([Kind::Rust, Kind::PlainPython]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_in_rust_that_is_asked_to_end_fails_no_call() {
    let mut members = [Kind::Rust, Kind::Python].map(Member::start);
    let cluster = cluster(&members).await;
    let load = Load::start(&cluster);
    load.go_on_for(500).await;
    block_in_place(|| members[0].end());
    load.go_on_for(1000).await;
    let failed = load.stop().await;
    assert!(
        failed.idempotent.is_empty() && failed.others.is_empty(),
        "{failed:?}"
    );
}
