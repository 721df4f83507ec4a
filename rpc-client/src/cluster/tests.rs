//! What a call costs while nothing can be reached, with a look inside.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use doge_registry::{Registry, ServiceKey, Static};
use doge_rpc_core::{
    Code, Deadline,
    call::{Request, Route},
    schema::MethodSchema,
};
use tokio::time::Instant;

use super::Cluster;
use crate::RetryBudget;

fn request(millis: u64) -> Request {
    static METHOD: MethodSchema = MethodSchema::new("fake", "get", 0).with_idempotent();
    let deadline = Deadline::after(Duration::from_millis(millis));
    Request::new(Route::from(&METHOD), Bytes::from_static(b"\x90"), deadline)
}

/// So many addresses where nobody listens, each known to be down.
async fn all_down(count: usize) -> Cluster {
    let addresses = (1..=count).map(|number| format!("tcp://127.0.0.{number}:1"));
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses(addresses));
    let cluster = Cluster::builder(ServiceKey::new("fake"))
        .registry(&registry)
        .retry_budget(RetryBudget {
            ratio: 1.0,
            min_per_second: 0,
            ..RetryBudget::default()
        })
        .follow()
        .await
        .unwrap();
    let set = cluster.shared.core.set.load_full();
    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, async {
        while !set.endpoints().iter().all(|it| it.channel().is_down()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("all are found to be down");
    cluster
}

#[tokio::test]
async fn a_call_asks_three_of_those_that_are_down() {
    let cluster = all_down(100).await;
    let status = cluster.call(&request(10_000)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.never_ran());
    assert_eq!(cluster.stats().attempts, 3);
}

#[tokio::test]
async fn a_call_that_waits_counts_once_and_looks_when_there_is_news() {
    let cluster = all_down(2).await;
    let waiting = request(500).with_wait_for_ready(true);
    let status = cluster.call(&waiting).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(
        cluster.stats().attempts,
        2,
        "one look, in less than a second"
    );

    let (core, before) = (&cluster.shared.core, cluster.stats().attempts);
    let call = async {
        let waiting = request(10_000).with_wait_for_ready(true);
        let call = cluster.call(&waiting);
        let ended = tokio::time::timeout(Duration::from_millis(800), call).await;
        assert!(ended.is_err(), "nobody came");
    };
    let news = async {
        let limit = Instant::now() + Duration::from_millis(700);
        while cluster.stats().attempts < before + 2 && Instant::now() < limit {
            tokio::task::yield_now().await;
        }
        core.changed.send_replace(());
        while cluster.stats().attempts < before + 4 && Instant::now() < limit {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(cluster.stats().attempts, before + 4, "at once");
    };
    tokio::join!(call, news);

    let now = Instant::now();
    let saved = (0..100).take_while(|_| core.budget.withdraw(now)).count();
    assert_eq!(saved, 2, "a whole retry for each of two calls");
}
