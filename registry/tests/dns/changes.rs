//! How changes of the records are followed.

use std::time::Duration;

use doge_registry::Env;
use doge_test_support::NameServer;

use crate::common::{NAME, quick, slow, until, watch};

#[tokio::test]
async fn other_records_replace_the_list_when_the_first_have_lived() {
    let server = NameServer::start();
    server.set(NAME, 1, ["A 10.0.0.1", "A 10.0.0.2"]);
    let mut watch = watch(slow(&server).env(Env::seeded(1))).await;
    until(&mut watch, &["10.0.0.1:7000", "10.0.0.2:7000"]).await;
    server.set(NAME, 1, ["A 10.0.0.2", "A 10.0.0.3"]);
    until(&mut watch, &["10.0.0.2:7000", "10.0.0.3:7000"]).await;
    server.set(NAME, 1, ["A 10.0.0.2"]);
    until(&mut watch, &["10.0.0.2:7000"]).await;
}

#[tokio::test]
async fn records_that_do_not_live_at_all_are_looked_up_after_the_shortest_time() {
    // The second has the highest bit set, which stands for 0.
    for ttl in [0, 1 << 31] {
        let server = NameServer::start();
        server.set(NAME, ttl, ["A 10.0.0.1"]);
        let mut watch = watch(slow(&server)).await;
        server.set(NAME, ttl, ["A 10.0.0.2"]);
        until(&mut watch, &["10.0.0.2:7000"]).await;
    }
}

#[tokio::test]
async fn records_that_live_for_long_are_looked_up_after_the_longest_time() {
    let server = NameServer::start();
    server.set(NAME, (1 << 31) - 1, ["A 10.0.0.1"]);
    let mut watch = watch(quick(&server)).await;
    server.set(NAME, (1 << 31) - 1, ["A 10.0.0.2"]);
    until(&mut watch, &["10.0.0.2:7000"]).await;
}

#[tokio::test]
async fn a_hint_leads_to_a_look_though_the_records_still_live() {
    let server = NameServer::start();
    server.set(NAME, 3600, ["A 10.0.0.1"]);
    let mut watch = watch(slow(&server)).await;
    let other = watch.clone();
    for place in ["10.0.0.2", "10.0.0.3"] {
        server.set(NAME, 3600, [format!("A {place}")]);
        other.refresh();
        until(&mut watch, &[&format!("{place}:7000")]).await;
    }
}

#[tokio::test]
async fn hints_lead_to_no_more_looks_than_one_per_shortest_time() {
    let server = NameServer::start();
    server.set(NAME, 3600, ["A 10.0.0.1"]);
    let shortest = Duration::from_millis(500);
    let builder = slow(&server).refresh(shortest, Duration::from_secs(3600));
    let began = std::time::Instant::now();
    let watch = watch(builder).await;
    let looks = || server.questions().len() / 2;
    while began.elapsed() < 3 * shortest || looks() < 2 {
        watch.refresh();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Each look is two questions, of which a busy machine may ask some twice; the first look is the one before the hints.
    let most = 1 + began.elapsed().as_millis() / shortest.as_millis();
    assert!((looks() as u128) <= 2 * most, "{} of {most}", looks());
}
