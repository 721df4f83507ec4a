//! Which of the instances in a list a client calls: by address, by tag, as its part of many; and whom it waits for while
//! it is connected to none.

use std::{sync::Arc, time::Duration};

use doge_rpc::{
    CallOptions,
    client::{Balancing, ChannelPool},
    registry::{Instance, Memory, Origin, Registry, ServiceKey},
    transport::{Dialect, Listener},
};
use tokio::time::Instant;
use tracing::level_filters::LevelFilter;

use crate::{
    common::{Fleet, Probe, ProbeClient, ProbeServer, Published, patient, until},
    logs::Log,
};

fn at(address: &str) -> Instance {
    Instance::new(ServiceKey::new("probe"), address)
}

/// Connections are accepted there, and nobody says hello.
async fn silent(name: &str) -> (Listener, Instance) {
    let address = format!("memory://{name}");
    (
        Listener::bind(&address.parse().unwrap()).await.unwrap(),
        at(&address),
    )
}

/// While nothing is connected, a call waits for the first of all attempts, whomever a balancer would pick.
#[tokio::test(start_paused = true)]
async fn a_first_call_waits_for_the_first_that_connects() {
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let fleet = Fleet::empty();
    let handlers = fleet.handlers();
    let server = doge_rpc::Server::builder().add(ProbeServer::new(handlers));
    let server = server.start("memory://cold-good").await.unwrap();
    let mut held = Vec::new();
    for name in ["cold-silent-1", "cold-silent-2", "cold-silent-3"] {
        let (listener, instance) = silent(name).await;
        held.push((listener, registry.register(instance).await.unwrap()));
    }
    let _good = registry.register(at("memory://cold-good")).await.unwrap();
    for number in 0..30 {
        let cluster = ProbeClient::cluster()
            .registry(&registry)
            .pool(&ChannelPool::default());
        let client = ProbeClient::new(cluster.follow().await.unwrap());
        let began = Instant::now();
        assert_eq!(client.write().await, Ok(0), "{number}");
        assert!(
            began.elapsed() < Duration::from_millis(50),
            "{number}: {:?}",
            began.elapsed()
        );
    }
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn a_first_call_without_anybody_to_connect_to_fails_in_its_time() {
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let (_listener, instance) = silent("cold-nobody").await;
    let _held = registry.register(instance).await.unwrap();
    let cluster = ProbeClient::cluster()
        .registry(&registry)
        .pool(&ChannelPool::default());
    let client = ProbeClient::new(cluster.follow().await.unwrap());
    let began = Instant::now();
    let client = client.with(CallOptions::new().timeout(Duration::from_millis(400)));
    let status = client.write().await.unwrap_err();
    assert!(status.never_ran(), "{status}");
    assert!(
        began.elapsed() <= Duration::from_millis(410),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_tag_selects_instances_and_a_missing_tag_falls_back_with_a_word() {
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    let mut fleet = Fleet::of(1).await;
    fleet
        .add_as(|server| server, |it| it.with_tag("build", "412"))
        .await;
    let published = Published::new(&fleet);
    let cluster = published
        .cluster()
        .tag("build", "412")
        .follow()
        .await
        .unwrap();
    let client = ProbeClient::new(cluster.clone()).with(patient());
    for _ in 0..10 {
        assert_eq!(client.write().await, Ok(1));
    }
    assert!(!cluster.stats().list.tag_fallback);

    let [plain, tagged] = [0, 1].map(|it: usize| fleet.replicas[it].instance.clone());
    published
        .publish([plain.clone(), tagged.clone().with_weight(0)])
        .await;
    assert!(cluster.stats().list.tag_fallback);
    until(|| cluster.stats().endpoints.iter().all(|it| it.connected)).await;
    assert_eq!(
        client.write().await,
        Ok(0),
        "the one with the tag takes no calls"
    );
    published.publish([plain, tagged]).await;
    assert!(!cluster.stats().list.tag_fallback);
    until(|| cluster.stats().endpoints[0].connected).await;
    assert_eq!(client.write().await, Ok(1));
    assert_eq!(
        log.lines("no instance that takes calls has the tags").len(),
        1
    );
    assert_eq!(log.lines("with the tags again").len(), 1);
}

#[tokio::test]
async fn without_an_instance_that_has_a_required_tag_no_call_is_made() {
    let fleet = Fleet::of(1).await;
    let cluster = fleet
        .cluster()
        .required_tag("tenant", "a")
        .follow()
        .await
        .unwrap();
    let status = ProbeClient::new(cluster)
        .with(patient())
        .write()
        .await
        .unwrap_err();
    assert!(status.never_ran(), "{status}");
    assert!(
        status.message().contains("a required tag is missing"),
        "{status}"
    );
    assert_eq!(fleet.started(), [0]);
}

/// Whoever can write to a shared registry can name any socket and any dialect.
#[tokio::test]
async fn of_a_shared_registry_only_addresses_that_the_cluster_asks_for_are_called() {
    let (log, _guard) = Log::capture(LevelFilter::WARN);
    let fleet = Fleet::of(1).await;
    let published = Published::new(&fleet);
    let shared = |it: Instance| it.with_origin(Origin::SharedRegistry);
    let good = shared(fleet.replicas[0].instance.clone());
    let (rogue, _) = silent("rogue").await;
    let bare = good.address().strip_prefix("tcp://").unwrap();
    let refused = [
        at("unix:///run/rogue.sock"),
        at("memory://rogue"),
        at("tls://127.0.0.1:1"),
        at(bare),
        at("127.0.0.1:1"),
    ];
    let all = refused.map(shared).into_iter().chain([good.clone()]);
    let all: Vec<_> = all.collect();
    published.publish(all.clone()).await;
    let cluster = published.cluster().follow().await.unwrap();
    let addresses: Vec<_> = cluster
        .stats()
        .endpoints
        .into_iter()
        .map(|it| it.address)
        .collect();
    assert_eq!(addresses, [good.address()]);
    for _ in 0..3 {
        // Each is one warning, however often the list comes.
        published.publish(all.clone()).await;
    }
    let client = ProbeClient::new(cluster).with(patient());
    assert_eq!(client.write().await, Ok(0));
    for text in [
        "unix:///run/rogue.sock",
        "memory://rogue",
        "tls://127.0.0.1:1",
        "127.0.0.1:1",
    ] {
        let lines = log.lines(&format!("address=\"{text}\""));
        assert_eq!(lines.len(), 1, "{text}: {lines:?}");
    }
    let never = tokio::time::timeout(Duration::from_millis(20), rogue.accept()).await;
    assert!(never.is_err(), "nobody connects there");

    // Python's own instances are called where that is asked for.
    let doge = shared(at(bare));
    published.publish([doge]).await;
    let both = published
        .cluster()
        .dialects([Dialect::Native, Dialect::Doge]);
    let cluster = both.follow().await.unwrap();
    assert_eq!(
        cluster.stats().endpoints[0].address,
        format!("doge://{bare}")
    );
    assert_eq!(
        ProbeClient::new(cluster).with(patient()).write().await,
        Ok(0)
    );
}

/// One instance that takes calls among many that do not, and a client that calls three.
#[tokio::test]
async fn a_subset_is_of_instances_that_take_calls() {
    let fleet = Fleet::of(1).await;
    let published = Published::new(&fleet);
    let weightless = (1..10).map(|it| at(&format!("memory://weightless-{it}")).with_weight(0));
    let unreadable = (1..10).map(|it| at(&format!("nonsense-{it}")));
    let good = fleet.replicas[0].instance.clone();
    published
        .publish(weightless.chain(unreadable).chain([good]))
        .await;
    for _ in 0..20 {
        let cluster = published
            .cluster()
            .balancing(three())
            .follow()
            .await
            .unwrap();
        assert_eq!(
            ProbeClient::new(cluster).with(patient()).write().await,
            Ok(0)
        );
    }
}

/// One instance that lives among many that are dead, and clients that call three: each finds it.
#[tokio::test]
async fn a_subset_widens_while_none_of_it_is_connected_and_narrows_after() {
    let mut fleet = Fleet::of(1).await;
    let published = Published::new(&fleet);
    let dead = |number| at(&format!("memory://dead-{number}"));
    let living = fleet.replicas[0].instance.clone();
    let mut widened = None;
    for _ in 0..20 {
        published
            .publish((1..20).map(dead).chain([living.clone()]))
            .await;
        let cluster = published
            .cluster()
            .balancing(three())
            .follow()
            .await
            .unwrap();
        let client = ProbeClient::new(cluster.clone());
        let client = client.with(patient().wait_for_ready(true));
        assert_eq!(client.write().await, Ok(0));
        if cluster.stats().endpoints.len() > 3 {
            widened = Some((cluster, client));
        }
    }
    let (cluster, client) = widened.expect("a subset without the only living instance");
    // Others come to life, of which some are of the subset.
    for _ in 0..3 {
        fleet.add().await;
    }
    let instances = fleet.replicas.iter().map(|it| it.instance.clone());
    published.publish(instances).await;
    until(|| cluster.stats().endpoints.len() == 3).await;
    client.write().await.unwrap();
}

fn three() -> Balancing {
    Balancing {
        subset: Some(3),
        ..Balancing::default()
    }
}
