//! How many calls a client lets out, to a service and to one method of it.

use std::time::{Duration, Instant};

use doge_rpc::{
    Code, Status,
    client::{CallLimits, ClusterError, MethodPolicy, Wait},
};

use crate::common::{Act, Fleet, Probe, ProbeClient, patient, soon};

/// One call at a time.
fn one() -> CallLimits {
    CallLimits::new().concurrency(1)
}

fn assert_refused(status: &Status, whose: &str) {
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.never_ran());
    assert!(status.message().contains(whose), "{status}");
}

/// Holds the first slot until the gate of the instance opens.
async fn busy(fleet: &Fleet, client: &ProbeClient) -> tokio::task::JoinHandle<usize> {
    fleet.next(Act::Gate);
    let client = client.clone();
    let call = tokio::spawn(async move { client.write().await.unwrap() });
    fleet.replicas[0].handlers.until_running(1).await;
    call
}

#[tokio::test]
async fn a_service_at_its_limit_refuses_at_once() {
    let fleet = Fleet::of(1).await;
    let (cluster, client) = fleet.follow(fleet.cluster().limits(one())).await;
    let call = busy(&fleet, &client).await;
    assert_refused(
        &client.read(1).await.unwrap_err(),
        "service default/probe/1",
    );
    let stats = cluster.stats();
    assert_eq!((stats.calls, stats.limited, stats.attempts), (2, 1, 1));

    fleet.replicas[0].handlers.open_gate();
    soon(call).await.unwrap();
    client.read(1).await.unwrap();
    assert_eq!(fleet.total(), 2);
}

#[tokio::test]
async fn a_method_at_its_limit_leaves_the_others_alone() {
    let fleet = Fleet::of(1).await;
    let builder = fleet
        .cluster()
        .method("write", MethodPolicy::new().limits(one()));
    let (_cluster, client) = fleet.follow(builder).await;
    let call = busy(&fleet, &client).await;
    assert_refused(&client.write().await.unwrap_err(), "method probe/write");
    client.read(1).await.unwrap();
    fleet.replicas[0].handlers.open_gate();
    soon(call).await.unwrap();
    client.write().await.unwrap();
}

#[tokio::test]
async fn a_method_keeps_to_the_limit_of_its_service_besides_its_own() {
    let fleet = Fleet::of(1).await;
    let wide = MethodPolicy::new().limits(CallLimits::new().concurrency(100));
    let builder = fleet.cluster().limits(one()).method("write", wide);
    let (_cluster, client) = fleet.follow(builder).await;
    let call = busy(&fleet, &client).await;
    assert_refused(&client.write().await.unwrap_err(), "service");
    fleet.replicas[0].handlers.open_gate();
    soon(call).await.unwrap();
}

#[tokio::test]
async fn as_many_callers_wait_as_may_and_no_more() {
    let fleet = Fleet::of(1).await;
    let wait = Wait::UpTo {
        callers: 1,
        time: crate::common::LIMIT,
    };
    let (_cluster, client) = fleet.follow(fleet.cluster().limits(one().wait(wait))).await;
    let call = busy(&fleet, &client).await;
    let waits = client.read(1);
    let refused = async {
        // Polled after the other one, which so is the first to wait.
        let status = client.read(2).await.unwrap_err();
        fleet.replicas[0].handlers.open_gate();
        status
    };
    let (answer, status) = soon(async { tokio::join!(biased; waits, refused) }).await;
    answer.unwrap();
    assert_refused(&status, "1 wait already");
    soon(call).await.unwrap();
    assert_eq!(fleet.total(), 2);
}

#[tokio::test]
async fn a_caller_waits_no_longer_than_it_may() {
    let fleet = Fleet::of(1).await;
    let wait = Wait::UpTo {
        callers: 10,
        time: Duration::from_millis(50),
    };
    let (_cluster, client) = fleet.follow(fleet.cluster().limits(one().wait(wait))).await;
    let call = busy(&fleet, &client).await;
    let started = Instant::now();
    let status = soon(client.read(1)).await.unwrap_err();
    assert!(started.elapsed() >= Duration::from_millis(50));
    assert_refused(&status, "did not come in time");
    fleet.replicas[0].handlers.open_gate();
    soon(call).await.unwrap();
}

#[tokio::test]
async fn over_the_rate_calls_are_refused_and_told_when_to_come_back() {
    let fleet = Fleet::of(1).await;
    let rate = CallLimits::new().rate(2, Duration::from_secs(3600));
    let (cluster, client) = fleet.follow(fleet.cluster().limits(rate)).await;
    client.write().await.unwrap();
    client.read(1).await.unwrap();
    let status = client.write().await.unwrap_err();
    assert_refused(&status, "service");
    let pushback = status.pushback().unwrap();
    assert!(
        pushback > Duration::from_secs(1_700) && pushback <= Duration::from_secs(1_800),
        "{pushback:?}"
    );
    assert_eq!((fleet.total(), cluster.stats().limited), (2, 1));
}

#[tokio::test]
async fn calls_that_wait_come_at_the_rate() {
    let fleet = Fleet::of(1).await;
    let rate = CallLimits::new().rate(50, Duration::from_secs(1)).burst(1);
    let wait = Wait::UpTo {
        callers: 10,
        time: crate::common::LIMIT,
    };
    let builder = fleet
        .cluster()
        .method("read", MethodPolicy::new().limits(rate.wait(wait)));
    let (_cluster, client) = fleet.follow(builder).await;
    let started = Instant::now();
    for call in futures_util::future::join_all((0..6).map(|key| client.read(key))).await {
        call.unwrap();
    }
    assert!(
        started.elapsed() >= Duration::from_millis(100),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn limits_that_make_no_sense_are_told_when_the_cluster_is_made() {
    let fleet = Fleet::of(1).await;
    let nothing = CallLimits::new().concurrency(0);
    let error = fleet.cluster().limits(nothing.clone()).follow().await;
    assert!(matches!(error, Err(ClusterError::Limits(_))));
    let method = MethodPolicy::new().limits(nothing);
    let error = fleet.cluster().method("read", method).follow().await;
    assert!(matches!(error, Err(ClusterError::Limits(_))));
    // It is the limits.
    let cluster = fleet.cluster().limits(one()).follow().await.unwrap();
    let client = ProbeClient::new(cluster).with(patient());
    client.read(1).await.unwrap();
}

#[tokio::test]
async fn a_method_whose_calls_wait_leaves_the_room_of_the_service_to_others() {
    let fleet = Fleet::of(1).await;
    let wait = Wait::UpTo {
        callers: 100,
        time: Duration::from_secs(10),
    };
    let builder = fleet
        .cluster()
        .limits(CallLimits::new().concurrency(2))
        .method("write", MethodPolicy::new().limits(one().wait(wait)));
    let (cluster, client) = fleet.follow(builder).await;
    let call = busy(&fleet, &client).await;
    let waiting: Vec<_> = (0..5)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.write().await })
        })
        .collect();
    crate::common::until(|| cluster.stats().calls == 6).await;
    soon(client.read(1)).await.unwrap();
    fleet.replicas[0].handlers.open_gate();
    soon(call).await.unwrap();
    for call in waiting {
        soon(call).await.unwrap().unwrap();
    }
}
