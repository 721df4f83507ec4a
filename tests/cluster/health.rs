//! Instances that fail are kept out of rotation, and come back by themselves.

use std::time::Duration;

use doge_rpc::{
    CallOptions, Code, Status,
    client::{
        Balancing, ChannelConfig, ChannelPool, Cluster, ClusterBuilder, ClusterStats, HealthConfig,
        LoadBalancing,
    },
    connection::Limits,
};

use crate::common::{Act, Fleet, Probe, ProbeClient, Published, until, until_called};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);

fn ejecting_for(time: Duration) -> HealthConfig {
    HealthConfig {
        consecutive_ejection: time,
        jitter: 0.0,
        ..HealthConfig::default()
    }
}

fn in_turn(fleet: &Fleet) -> ClusterBuilder {
    let balancing = Balancing {
        policy: LoadBalancing::RoundRobin,
        slow_start: None,
        ..Balancing::default()
    };
    fleet.cluster().balancing(balancing)
}

fn ejected(stats: &ClusterStats, fleet: &Fleet) -> Vec<bool> {
    let replicas = fleet.replicas.iter();
    let of = |id: &str| stats.endpoints.iter().find(|it| it.instance == id).unwrap();
    replicas.map(|it| of(it.instance.id()).ejected).collect()
}

/// Calls until so many instances are ejected.
async fn call_until_ejected(cluster: &Cluster, client: &ProbeClient, count: u64) {
    until_called(async || {
        let _ = client.read(1).await;
        cluster.stats().ejections >= count
    })
    .await;
}

#[tokio::test]
async fn an_instance_that_fails_five_times_in_a_row_gets_no_calls() {
    let fleet = Fleet::of(3).await;
    let builder = in_turn(&fleet).health(ejecting_for(LONG));
    let (cluster, client) = fleet.follow(builder).await;
    let broken = &fleet.replicas[0].handlers;
    broken.act(Act::break_off());
    until_called(async || {
        // Idempotent, and so served elsewhere.
        assert_ne!(client.read(1).await.unwrap(), 0);
        cluster.stats().ejections == 1
    })
    .await;
    assert_eq!(ejected(&cluster.stats(), &fleet), [true, false, false]);
    assert!(broken.started() >= 5, "{}", broken.started());
    let before = (broken.started(), cluster.stats().attempts);
    for _ in 0..60 {
        // Each would fail there, for it may not be made twice.
        assert_ne!(client.write().await.unwrap(), 0);
    }
    assert_eq!(
        (broken.started(), cluster.stats().attempts),
        (before.0, before.1 + 60)
    );
}

#[tokio::test]
async fn an_ejection_outlives_what_the_registry_says_about_others_and_of_the_same() {
    let mut fleet = Fleet::of(3).await;
    let registry = Published::new(&fleet);
    let balancing = Balancing {
        policy: LoadBalancing::RoundRobin,
        ..Balancing::default()
    };
    let builder = registry.cluster().balancing(balancing);
    let (cluster, client) = fleet.follow(builder.health(ejecting_for(LONG))).await;
    fleet.replicas[0].handlers.act(Act::break_off());
    call_until_ejected(&cluster, &client, 1).await;

    fleet.add().await;
    let instances = fleet.replicas.iter().map(|it| it.instance.clone());
    registry
        .publish(instances.map(|it| it.with_weight(7)))
        .await;
    until(|| cluster.stats().endpoints.iter().all(|it| it.connected)).await;
    let before = fleet.replicas[0].handlers.started();
    assert_eq!(
        ejected(&cluster.stats(), &fleet),
        [true, false, false, false]
    );
    for _ in 0..30 {
        client.write().await.unwrap();
    }
    assert_eq!(fleet.replicas[0].handlers.started(), before);
}

#[tokio::test]
async fn fewer_failures_or_a_success_between_them_eject_nobody() {
    let fleet = Fleet::of(2).await;
    let builder = in_turn(&fleet).health(ejecting_for(LONG));
    let (cluster, client) = fleet.follow(builder).await;
    let (shaky, broken) = (&fleet.replicas[0].handlers, &fleet.replicas[1].handlers);
    for round in 0..30 {
        shaky.act(match round % 5 {
            4 => Act::Answer,
            _ => Act::break_off(),
        });
        let before = shaky.started();
        until_called(async || {
            let _ = client.write().await;
            shaky.started() > before
        })
        .await;
    }
    // Only one of two may go: had the first one gone, the other could not.
    broken.act(Act::break_off());
    call_until_ejected(&cluster, &client, 1).await;
    assert_eq!(ejected(&cluster.stats(), &fleet), [false, true]);
}

#[tokio::test]
async fn an_ejected_instance_is_probed_and_returns() {
    let fleet = Fleet::of(3).await;
    let builder = in_turn(&fleet).health(ejecting_for(Duration::from_millis(100)));
    let (cluster, client) = fleet.follow(builder).await;
    let replica = &fleet.replicas[0];
    assert_eq!(replica.proxy.accepted(), 1);
    replica.handlers.act(Act::break_off());
    call_until_ejected(&cluster, &client, 1).await;
    replica.handlers.act(Act::Answer);

    until(|| ejected(&cluster.stats(), &fleet) == [false; 3]).await;
    assert_eq!(
        replica.proxy.accepted(),
        2,
        "the probe is a fresh connection"
    );
    let before = replica.handlers.started();
    for _ in 0..9 {
        client.write().await.unwrap();
    }
    assert_eq!(replica.handlers.started(), before + 3);
    replica.proxy.until_open(1).await;
}

#[tokio::test]
async fn an_ejected_instance_that_starts_anew_is_back_at_once() {
    let fleet = Fleet::of(3).await;
    let builder = in_turn(&fleet).health(ejecting_for(LONG));
    let (cluster, client) = fleet.follow(builder).await;
    fleet.replicas[0].handlers.act(Act::break_off());
    call_until_ejected(&cluster, &client, 1).await;
    fleet.replicas[0].handlers.act(Act::Answer);
    fleet.replicas[0].proxy.cut();
    until(|| ejected(&cluster.stats(), &fleet) == [false; 3]).await;
    until_called(async || client.write().await.unwrap() == 0).await;
}

#[tokio::test]
async fn an_instance_that_hangs_up_on_every_call_is_ejected_though_it_is_back_each_time() {
    let fleet = Fleet::of(3).await;
    let builder = in_turn(&fleet).health(ejecting_for(LONG));
    let (cluster, client) = fleet.follow(builder).await;
    let broken = &fleet.replicas[0];
    broken.handlers.act(Act::Hang);
    let hang_up = tokio::spawn({
        let (handlers, proxy) = (broken.handlers.clone(), broken.proxy.clone());
        async move {
            loop {
                handlers.until_running(1).await;
                proxy.cut();
                handlers.until_running(0).await;
            }
        }
    });
    until_called(async || {
        let _ = client.write().await;
        cluster.stats().ejections == 1
    })
    .await;
    hang_up.abort();
    // Five in a row, and one before them where it was seen to be away: that of a restart is forgiven.
    let calls = broken.handlers.started();
    assert!((5..=6).contains(&calls), "{calls}");
    until(|| cluster.stats().endpoints.iter().all(|it| it.connected)).await;
    assert_eq!(ejected(&cluster.stats(), &fleet), [true, false, false]);
    for _ in 0..30 {
        assert_ne!(client.write().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn an_instance_stays_ejected_while_probes_of_it_fail() {
    let fleet = Fleet::of(3).await;
    let pool = ChannelPool::new(ChannelConfig {
        connect_timeout: Duration::from_millis(100),
        ..ChannelConfig::default()
    });
    let builder = in_turn(&fleet)
        .pool(&pool)
        .health(ejecting_for(Duration::from_millis(50)));
    let (cluster, client) = fleet.follow(builder).await;
    let replica = &fleet.replicas[0];
    replica.proxy.freeze();
    let hurried = client.with(CallOptions::new().timeout(Duration::from_millis(50)));
    until_called(async || {
        match hurried.read(1).await {
            Ok(number) => assert_ne!(number, 0),
            Err(status) => assert_eq!(status.code(), Code::DeadlineExceeded),
        }
        cluster.stats().ejections == 1
    })
    .await;
    // One probe after the other, none of which is answered.
    until(|| replica.proxy.accepted() >= 3).await;
    assert_eq!(ejected(&cluster.stats(), &fleet), [true, false, false]);
    assert_eq!(cluster.stats().ejections, 1, "it never was back in between");

    replica.proxy.thaw();
    until(|| ejected(&cluster.stats(), &fleet) == [false; 3]).await;
    until_called(async || client.write().await.unwrap() == 0).await;
}

#[tokio::test]
async fn what_an_instance_answers_is_never_held_against_it() {
    let fleet = Fleet::of(3).await;
    let health = HealthConfig {
        max_ejected_percent: 100,
        ..ejecting_for(LONG)
    };
    let (cluster, client) = fleet.follow(in_turn(&fleet).health(health)).await;
    let [argues, refuses, breaks] = [0, 1, 2].map(|number: usize| &fleet.replicas[number].handlers);
    argues.act(Act::break_off());
    refuses.act(Act::break_off());
    for _ in 0..30 {
        // Errors of the application at all but the last.
        let _ = client.argue().await;
    }
    argues.act(Act::Answer);
    refuses.act(Act::Fail(Status::not_found("nothing")));
    for _ in 0..30 {
        let _ = client.write().await;
    }
    breaks.act(Act::break_off());
    call_until_ejected(&cluster, &client, 1).await;
    assert_eq!(ejected(&cluster.stats(), &fleet), [false, false, true]);
}

/// Two of three are ejected, and well again.
async fn mostly_ejected(panic_threshold: u8) -> (Fleet, Cluster, ProbeClient) {
    let fleet = Fleet::of(3).await;
    let health = HealthConfig {
        max_ejected_percent: 100,
        panic_threshold,
        ..ejecting_for(LONG)
    };
    let (cluster, client) = fleet.follow(in_turn(&fleet).health(health)).await;
    for replica in &fleet.replicas[..2] {
        replica.handlers.act(Act::break_off());
    }
    call_until_ejected(&cluster, &client, 2).await;
    fleet.all(&Act::Answer);
    (fleet, cluster, client)
}

#[tokio::test]
async fn when_most_are_ejected_calls_go_to_all() {
    let (fleet, cluster, client) = mostly_ejected(50).await;
    let before = fleet.started();
    until_called(async || {
        client.write().await.unwrap();
        (0..2).all(|index: usize| fleet.started()[index] >= before[index] + 3)
    })
    .await;
    assert_eq!(ejected(&cluster.stats(), &fleet), [true, true, false]);
}

#[tokio::test]
async fn without_a_panic_threshold_calls_stay_with_the_last_healthy_one() {
    let (fleet, _cluster, client) = mostly_ejected(0).await;
    for _ in 0..30 {
        assert_eq!(client.write().await.unwrap(), 2);
    }
    drop(fleet);
}

#[tokio::test]
async fn a_quiet_instance_that_stops_is_found_by_a_ping_and_comes_back() {
    let fleet = Fleet::of(2).await;
    let pool = ChannelPool::new(ChannelConfig {
        limits: Limits {
            ping_after: Duration::from_millis(150),
            ping_timeout: Duration::from_millis(150),
            ..Limits::default()
        },
        connect_timeout: Duration::from_millis(100),
        ..ChannelConfig::default()
    });
    let (cluster, client) = fleet.follow(in_turn(&fleet).pool(&pool)).await;
    let connected = |cluster: &Cluster| {
        let stats = cluster.stats().endpoints;
        stats.iter().filter(|endpoint| endpoint.connected).count()
    };
    fleet.replicas[0].proxy.freeze();
    until(|| connected(&cluster) == 1).await;
    for _ in 0..20 {
        assert_eq!(client.write().await.unwrap(), 1, "none has to wait");
    }
    fleet.replicas[0].proxy.thaw();
    until(|| connected(&cluster) == 2).await;
    until_called(async || client.write().await.unwrap() == 0).await;
}

#[tokio::test]
async fn an_instance_that_fails_fast_is_ejected_and_draws_no_calls() {
    let fleet = Fleet::of(2).await;
    let builder = fleet.cluster().health(ejecting_for(LONG));
    let (_cluster, client) = fleet.follow(builder).await;
    // Faster than the other one, and so at an advantage if only time counted.
    let broken = Act::Fail(Status::internal("the handler panicked"));
    fleet.replicas[0].handlers.act(broken);
    let takes = Act::Take(Duration::from_millis(1));
    fleet.replicas[1].handlers.act(takes);
    let mut failures = 0;
    for _ in 0..300 {
        failures += usize::from(client.write().await.is_err());
    }
    assert!(failures < 20, "{failures} of 300");
    assert!(fleet.replicas[1].handlers.started() > 280);
}

#[tokio::test]
async fn a_timeout_counts_whoever_measures_it() {
    let fleet = Fleet::of(2).await;
    let builder = in_turn(&fleet)
        .health(ejecting_for(LONG))
        .attempt_layer(tower::layer::util::Identity::new());
    let (cluster, client) = fleet.follow(builder).await;
    fleet.replicas[0].handlers.act(Act::Hang);
    let client = client.with(CallOptions::new().timeout(Duration::from_millis(50)));
    until_called(async || {
        let _ = client.write().await;
        ejected(&cluster.stats(), &fleet) == [true, false]
    })
    .await;
}
