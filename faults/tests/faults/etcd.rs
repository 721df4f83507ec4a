//! An etcd that goes away, comes back, and is wiped while calls go on.

use std::time::{Duration, Instant};

use doge_faults::LedgerClient;
use doge_rpc::client::Cluster;
use doge_test_support::{Etcd, eventually};
use tokio::task::block_in_place;

use crate::{
    fleet::Fleet,
    load::{Load, failed},
};

const TTL: Duration = Duration::from_secs(4);

/// How long etcd is away, unless this variable has another number of seconds: five minutes are as good, and too long
/// for each run.
const OUTAGE: Duration = Duration::from_secs(10);
const OUTAGE_VARIABLE: &str = "DOGE_FAULTS_OUTAGE";

const PREFIX: &str = "/doge/rpc/";

/// For a machine that has other things to do.
const SLACK: Duration = Duration::from_secs(1);

struct Scene {
    etcd: Etcd,
    fleet: Fleet,
    cluster: Cluster,
    load: Load,
}

impl Scene {
    async fn start() -> Self {
        let etcd = block_in_place(Etcd::start);
        let url = format!("{}?ttl={}s", etcd.url(), TTL.as_secs());
        let fleet = block_in_place(|| Fleet::start_at(url, 3));
        let cluster = fleet.cluster().follow().await.unwrap();
        let mut load = Load::start(&LedgerClient::new(cluster.clone()), 8);
        load.go_on_for(200).await;
        Self {
            etcd,
            fleet,
            cluster,
            load,
        }
    }

    /// Waits until all replicas are registered.
    fn until_whole(&self) {
        block_in_place(|| {
            eventually(TTL + SLACK, "all replicas are registered", || {
                self.etcd.keys(PREFIX).len() == 3
            });
        });
    }

    /// No call has failed, and a replica that joins is found.
    async fn end(mut self) {
        let replica = block_in_place(|| self.fleet.replica("tcp://127.0.0.1:0"));
        self.fleet
            .until(&self.cluster, &replica.address, true)
            .await;
        self.load.go_on_for(200).await;
        let calls = self.load.stop().await;
        assert!(failed(&calls).is_empty(), "{:?}", failed(&calls));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_fails_no_call_and_after_it_all_is_whole() {
    let mut scene = Scene::start().await;
    block_in_place(|| scene.etcd.kill(0));
    let killed = Instant::now();
    let seconds = std::env::var(OUTAGE_VARIABLE);
    let outage = seconds.map_or(OUTAGE, |it| Duration::from_secs(it.parse().unwrap()));
    // Each lease is long dead by then.
    while killed.elapsed() < outage {
        scene.load.go_on_for(100).await;
        assert_eq!(scene.cluster.addresses().len(), 3);
    }
    block_in_place(|| scene.etcd.restart(0));
    scene.until_whole();
    assert_eq!(scene.cluster.addresses().len(), 3);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wiped_by_hand_is_whole_again() {
    let mut scene = Scene::start().await;
    scene.etcd.delete_prefix(PREFIX);
    scene.until_whole();
    scene.load.go_on_for(200).await;
    assert_eq!(scene.cluster.addresses().len(), 3);
    scene.end().await;
}
