//! Watches of one key share the looks, which end with the last of them.

use std::time::Duration;

use doge_registry::{Registry, ServiceKey};
use doge_test_support::NameServer;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::common::{LIMIT, NAME, key, quick, slow, until, until_asked};

async fn until_no_task_is_left() {
    until_tasks_are(0).await;
}

async fn until_tasks_are(most: usize) {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let waiting = async {
        while tasks() > most {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let ended = timeout(LIMIT, waiting).await;
    assert!(ended.is_ok(), "{} tasks are left, and not {most}", tasks());
}

#[tokio::test]
async fn watches_of_one_key_share_the_looks() {
    let server = NameServer::start();
    server.set(NAME, 3600, ["A 10.0.0.1"]);
    let registry = slow(&server).build().unwrap();
    let first = registry.watch(key()).await.unwrap();
    let asked = server.questions().len();
    let second = registry.clone().watch(key()).await.unwrap();
    assert_eq!(server.questions().len(), asked);
    assert_eq!(first.snapshot(), second.snapshot());
    let _other = registry.watch(ServiceKey::new("hr.leave")).await.unwrap();
    assert_eq!(server.questions().len(), 2 * asked);
}

#[tokio::test]
async fn watches_that_begin_at_once_end_up_with_one_source() {
    let server = NameServer::start();
    server.set(NAME, 3600, ["A 10.0.0.1"]);
    let registry = slow(&server).build().unwrap();
    let watches = (0..8).map(|_| registry.watch(key()));
    let watches = futures_util::future::try_join_all(watches).await.unwrap();
    // One for all.
    until_tasks_are(1).await;
    drop(watches);
    until_no_task_is_left().await;
}

#[tokio::test]
async fn looks_end_with_the_last_watch_and_begin_again_with_another() {
    let server = NameServer::start();
    server.set(NAME, 0, ["A 10.0.0.1"]);
    let registry = quick(&server).build().unwrap();
    let first = registry.watch(key()).await.unwrap();
    let second = first.clone();
    drop(first);
    until_asked(&server, 4).await;
    drop(second);
    until_no_task_is_left().await;

    server.set(NAME, 0, ["A 10.0.0.2"]);
    let mut watch = registry.watch(key()).await.unwrap();
    until(&mut watch, &["10.0.0.2:7000"]).await;
    // Also in the middle of a look.
    server.becomes(doge_test_support::Mood::Silent);
    until_asked(&server, 2).await;
    drop(watch);
    until_no_task_is_left().await;
}
