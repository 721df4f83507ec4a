//! Replicas that are asked to stop, one after the other, and replaced.

use doge_faults::LedgerClient;

use crate::{
    LIMIT,
    fleet::Fleet,
    load::{Load, failed},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_fails_no_call() {
    let mut fleet = Fleet::start(3);
    let cluster = fleet.cluster().follow().await.unwrap();
    let mut load = Load::start(&LedgerClient::new(cluster.clone()), 30);
    for replica in 0..3 {
        load.go_on_for(500).await;
        fleet.replicas[replica].process.terminate();
        let ended = tokio::task::block_in_place(|| fleet.replicas[replica].process.wait(LIMIT));
        assert!(ended.success(), "{ended}");
        fleet.replicas[replica] = fleet.replica("tcp://127.0.0.1:0");
        let address = fleet.replicas[replica].address.clone();
        fleet.until(&cluster, &address, true).await;
    }
    load.go_on_for(500).await;
    let calls = load.stop().await;

    assert!(failed(&calls).is_empty(), "{:?}", failed(&calls));
    let booked = fleet.booked();
    assert!(booked.values().all(|times| *times == 1));
}
