use std::sync::Arc;

use doge_rpc::client::{Cluster, ClusterBuilder};

use crate::{
    common::{Fleet, ProbeClient},
    ledger::{Callers, Ledger},
};

/// Instances, a cluster of them that a ledger observes, and what its callers saw.
pub(crate) struct World {
    pub(crate) fleet: Fleet,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) callers: Callers,
    pub(crate) cluster: Cluster,
    pub(crate) client: ProbeClient,
}

impl World {
    /// So many instances, and a cluster with this configuration.
    pub(crate) async fn of(
        instances: usize,
        configure: impl FnOnce(ClusterBuilder) -> ClusterBuilder,
    ) -> Self {
        Self::with(Fleet::of(instances).await, configure).await
    }

    /// These instances, and a cluster with this configuration.
    pub(crate) async fn with(
        fleet: Fleet,
        configure: impl FnOnce(ClusterBuilder) -> ClusterBuilder,
    ) -> Self {
        let ledger = Ledger::new();
        let builder = configure(fleet.cluster()).observer(Arc::clone(&ledger));
        let (cluster, client) = fleet.follow(builder).await;
        Self {
            fleet,
            ledger,
            callers: Callers::default(),
            cluster,
            client,
        }
    }

    /// Checks, while no call is in flight, that the statistics and the callers say what the observer saw.
    #[track_caller]
    pub(crate) fn agrees(&self) {
        self.ledger.agrees(&self.cluster.stats(), &self.callers);
    }
}
