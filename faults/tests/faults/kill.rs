//! A replica that is killed while calls are in flight there.

use doge_faults::LedgerClient;
use doge_rpc::Code;

use crate::{
    fleet::Fleet,
    load::{Kind, Load, failed},
};

const CALLERS: usize = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_replica_fails_no_idempotent_call_and_none_runs_twice() {
    let mut fleet = Fleet::start(3);
    let cluster = fleet.cluster().follow().await.unwrap();
    let mut load = Load::start(&LedgerClient::new(cluster.clone()), CALLERS);
    load.go_on_for(500).await;
    let killed = fleet.replicas[0].address.clone();
    fleet.replicas[0].process.kill();
    load.go_on_for(2000).await;
    let calls = load.stop().await;

    let failed = failed(&calls);
    let reads = failed.iter().filter(|call| call.kind == Kind::Read);
    assert_eq!(reads.count(), 0, "{failed:?}");
    // What was in flight there and may have run is not tried again: it says so, and no caller had two.
    assert!(
        failed.len() <= CALLERS,
        "{} failed: {failed:?}",
        failed.len()
    );
    for call in &failed {
        let status = call.result.as_ref().unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{call:?}");
        assert!(!status.never_ran(), "{call:?}");
        assert!(status.message().contains(&killed), "{call:?}");
    }

    let booked = fleet.booked();
    for call in calls.iter().filter(|call| call.kind == Kind::Book) {
        let times = booked.get(&call.key).copied().unwrap_or(0);
        match call.result {
            Ok(()) => assert_eq!(times, 1, "{call:?}"),
            Err(_) => assert!(times <= 1, "{call:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_back_at_its_address_gets_calls_though_nobody_touches_the_registry() {
    let mut fleet = Fleet::start(2);
    let addresses = fleet.replicas.iter().map(|replica| replica.address.clone());
    let registry: std::sync::Arc<dyn doge_rpc::registry::Registry> =
        std::sync::Arc::new(doge_rpc::registry::Static::addresses(addresses));
    let cluster = LedgerClient::cluster().registry(&registry);
    let cluster = cluster.follow().await.unwrap();
    let mut load = Load::reads(&LedgerClient::new(cluster.clone()), 8);
    load.go_on_for(200).await;

    let address = fleet.replicas[0].address.clone();
    fleet.replicas[0].process.kill();
    fleet.until(&cluster, &address, false).await;
    load.go_on_for(200).await;
    fleet.replicas[0] = fleet.replica(&address);
    fleet.until(&cluster, &address, true).await;
    fleet.replicas[1].process.kill();
    load.go_on_for(200).await;
    let calls = load.stop().await;
    assert!(failed(&calls).is_empty(), "{:?}", failed(&calls));
}
