//! The way from what a registry says to the endpoints of a cluster.

mod address;
mod dedup;
mod list;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use doge_registry::{Instance, Snapshot, Watch, WatchClosed};

pub(super) use self::list::ListState;
use self::{address::address_of, dedup::Dedup};
use super::{Core, Endpoint, EndpointSet};
use crate::{ChannelPool, balance};

/// Keeps the endpoints of a cluster as the registry has its instances.
pub(super) struct Discovery {
    core: Weak<Core>,
    watch: Watch,
    dedup: Dedup,
    pool: ChannelPool,
    /// Makes this client's choice of a subset its own.
    seed: u64,
}

impl Discovery {
    pub(super) fn new(core: &Arc<Core>, watch: Watch, pool: ChannelPool) -> Self {
        Self {
            core: Arc::downgrade(core),
            watch,
            dedup: Dedup::default(),
            pool,
            seed: fastrand::u64(..),
        }
    }

    /// Takes over what is there now, and follows in a task of its own until the cluster is dropped.
    pub(super) fn start(mut self) {
        let Some(core) = self.core.upgrade() else {
            return;
        };
        self.apply(&core, &self.watch.snapshot());
        let gone = core.gone.clone();
        drop(core);
        tokio::spawn(async move {
            gone.run_until_cancelled(self.run()).await;
        });
    }

    async fn run(mut self) {
        loop {
            let changed = self.watch.changed().await;
            let Some(core) = self.core.upgrade() else {
                return;
            };
            match changed {
                Ok(snapshot) => self.apply(&core, &snapshot),
                Err(closed) => {
                    core.list.lock().freeze();
                    return warn_of_end(&core, closed);
                }
            }
        }
    }

    fn apply(&mut self, core: &Core, snapshot: &Snapshot) {
        let before = core.set.load();
        let known: HashMap<&str, &Endpoint> = before
            .endpoints()
            .iter()
            .map(|endpoint| (endpoint.instance().id(), endpoint))
            .collect();
        let instances = self.dedup.update(snapshot);
        let instances = self.chosen(core, instances);
        let endpoints = instances.iter().filter_map(|instance| {
            let kept = known
                .get(instance.id())
                .filter(|endpoint| endpoint.instance().address() == instance.address());
            match kept {
                Some(endpoint) => Some(endpoint.updated(Arc::clone(instance))),
                // Also for a new process at an address that was there before: it is cold, and none of the failures
                // there were its own. The channel is the same, out of the pool.
                None => self.endpoint(core, instance),
            }
        });
        let set = EndpointSet::new(endpoints.collect(), &core.balancing);
        tracing::debug!(
            service = %core.service,
            instances = snapshot.len(),
            endpoints = set.endpoints().len(),
            "instances changed"
        );
        core.list.lock().change(snapshot);
        core.set.store(Arc::new(set));
        core.changed.send_replace(());
        core.alarm.notify_one();
    }

    /// The instances that this client calls: all, or its part of them.
    fn chosen<'a>(&self, core: &Core, all: Vec<&'a Arc<Instance>>) -> Vec<&'a Arc<Instance>> {
        match core.balancing.subset {
            Some(size) if size < all.len() => {
                let addresses: Vec<_> = all.iter().map(|instance| instance.address()).collect();
                let chosen = balance::subset(&addresses, self.seed, size).into_iter();
                chosen.map(|index| all[index]).collect()
            }
            _ => all,
        }
    }

    fn endpoint(&self, core: &Core, instance: &Arc<Instance>) -> Option<Endpoint> {
        match address_of(instance) {
            Ok(address) => {
                let channel = self.pool.channel(&address);
                // Whatever was there before, somebody is there now.
                channel.expect_up();
                Some(Endpoint::new(Arc::clone(instance), channel, core))
            }
            Err(error) => {
                tracing::warn!(instance = instance.id(), %error, "an instance cannot be called");
                None
            }
        }
    }
}

fn warn_of_end(core: &Core, closed: WatchClosed) {
    let endpoints = core.set.load().endpoints().len();
    tracing::warn!(
        service = %core.service, endpoints, %closed,
        "the watch of the registry ended: the list of endpoints no longer changes"
    );
}
