//! Replicas of the ledger, each a process of its own, and what they have written.

use std::{collections::HashMap, process::Command, sync::Arc, time::Duration};

use doge_faults::LedgerClient;
use doge_rpc::{
    client::{Cluster, ClusterBuilder},
    registry::{self, Registry},
};
use doge_test_support::{Process, eventually_async};
use tempfile::TempDir;

use crate::LIMIT;

pub(crate) struct Fleet {
    folder: TempDir,
    url: String,
    registry: Arc<dyn Registry>,
    pub(crate) replicas: Vec<Replica>,
}

pub(crate) struct Replica {
    pub(crate) process: Process,
    pub(crate) address: String,
}

impl Fleet {
    /// So many replicas, which register in a folder.
    pub(crate) fn start(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("file:{}", folder.path().join("registry").display());
        Self::start_in(folder, url, count)
    }

    /// So many replicas, which register there.
    #[cfg(feature = "etcd")]
    pub(crate) fn start_at(registry: String, count: usize) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), registry, count)
    }

    fn start_in(folder: TempDir, url: String, count: usize) -> Self {
        let mut fleet = Self {
            folder,
            registry: registry::open(&url).unwrap(),
            url,
            replicas: Vec::new(),
        };
        for _ in 0..count {
            let replica = fleet.replica("tcp://127.0.0.1:0");
            fleet.replicas.push(replica);
        }
        fleet
    }

    /// A further replica, once it serves.
    pub(crate) fn replica(&self, address: &str) -> Replica {
        let mut process = Process::start(
            Command::new(env!("CARGO_BIN_EXE_replica"))
                .args(["--registry", &self.url, "--address", address, "--journal"])
                .arg(self.journal()),
        );
        let ready = process.line(LIMIT, |line| line.starts_with("ready "));
        Replica {
            process,
            address: ready["ready ".len()..].to_owned(),
        }
    }

    /// A cluster of the replicas, to be configured.
    pub(crate) fn cluster(&self) -> ClusterBuilder {
        LedgerClient::cluster().registry(&self.registry)
    }

    /// Waits until a cluster is, or is no longer, connected to this address.
    pub(crate) async fn until(&self, cluster: &Cluster, address: &str, connected: bool) {
        let what = format!("{address} is connected: {connected}");
        eventually_async(LIMIT, &what, async || {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let endpoints = cluster.stats().endpoints;
            let mut here = endpoints.iter().filter(|it| it.address == address);
            (here.any(|it| it.connected) == connected).then_some(())
        })
        .await;
    }

    /// How often each key was booked.
    pub(crate) fn booked(&self) -> HashMap<u64, usize> {
        let mut booked = HashMap::new();
        for line in std::fs::read_to_string(self.journal()).unwrap().lines() {
            *booked.entry(line.parse().unwrap()).or_default() += 1;
        }
        booked
    }

    fn journal(&self) -> std::path::PathBuf {
        self.folder.path().join("journal")
    }
}
