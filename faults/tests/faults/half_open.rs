//! A replica that is stopped where it is: its connections are open, and nothing answers.

use std::time::{Duration, Instant};

use doge_faults::LedgerClient;
use doge_rpc::{
    client::{BackupRequest, ChannelConfig, HedgeDelay, MethodPolicy, Strategy},
    connection::Limits,
};

use crate::{
    fleet::Fleet,
    load::{Load, failed},
};

const HEDGE: Duration = Duration::from_millis(100);
const PING: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_replica_slows_few_calls_leaves_in_time_and_comes_back() {
    let mut fleet = Fleet::start(3);
    let limits = Limits {
        ping_after: PING,
        ping_timeout: PING,
        ..Limits::default()
    };
    let hedged = Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(HEDGE),
        ..BackupRequest::default()
    });
    let cluster = fleet
        .cluster()
        .channel(ChannelConfig {
            limits,
            ..ChannelConfig::default()
        })
        .method("read", MethodPolicy::new().strategy(hedged))
        .follow()
        .await
        .unwrap();
    let mut load = Load::reads(&LedgerClient::new(cluster.clone()), 16);
    load.go_on_for(500).await;

    let address = fleet.replicas[0].address.clone();
    let paused = Instant::now();
    fleet.replicas[0].process.pause();
    fleet.until(&cluster, &address, false).await;
    let out = paused.elapsed();
    load.go_on_for(500).await;
    fleet.replicas[0].process.resume();
    fleet.until(&cluster, &address, true).await;
    // Who else could take the calls from here on?
    for other in &mut fleet.replicas[1..] {
        other.process.terminate();
    }
    for other in &fleet.replicas[1..] {
        fleet.until(&cluster, &other.address, false).await;
    }
    load.go_on_for(500).await;
    let calls = load.stop().await;

    assert!(failed(&calls).is_empty(), "{:?}", failed(&calls));
    // The quiet before a ping, the wait for its answer, and a look at it.
    assert!(out < 2 * PING + Duration::from_millis(500), "{out:?}");
    let mut times: Vec<_> = calls
        .iter()
        .filter(|call| call.began + call.took >= paused && call.began <= paused + out)
        .map(|call| call.took)
        .collect();
    times.sort();
    let p99 = times[times.len() * 99 / 100];
    assert!(p99 < 2 * HEDGE, "p99 {p99:?} of {}", times.len());
    let stats = cluster.stats();
    assert!(stats.hedges_won > 0, "{stats:?}");
}
