//! The way from what a registry says to the endpoints of a cluster.

mod candidate;
mod dedup;
mod list;
mod selection;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use doge_registry::{Snapshot, Watch, WatchClosed};

use self::{
    candidate::{Candidate, Reader},
    dedup::Dedup,
    selection::{subset, tagged},
};
pub(super) use self::{
    list::ListState,
    selection::{Selection, Tag},
};
use super::{Core, Endpoint, EndpointSet};
use crate::ChannelPool;

/// Keeps the endpoints of a cluster as the registry has its instances.
pub(super) struct Discovery {
    core: Weak<Core>,
    watch: Watch,
    reader: Reader,
    dedup: Dedup,
    pool: ChannelPool,
    /// Makes this client's choice of a subset its own.
    seed: u64,
    /// Endpoints beyond the subset, while none of it is connected.
    extra: usize,
    /// Calls go to instances without the tags, for want of instances that have them.
    falls_back: bool,
}

impl Discovery {
    pub(super) fn new(core: &Arc<Core>, watch: Watch, pool: ChannelPool) -> Self {
        Self {
            core: Arc::downgrade(core),
            watch,
            reader: Reader::default(),
            dedup: Dedup::default(),
            pool,
            seed: core.env.number(),
            extra: 0,
            falls_back: false,
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
        let Some(core) = self.core.upgrade() else {
            return;
        };
        let starved = Arc::clone(&core.starved);
        drop(core);
        let mut is_open = true;
        loop {
            let changed = tokio::select! {
                biased;
                changed = self.watch.changed(), if is_open => Some(changed),
                () = starved.notified() => None,
            };
            let Some(core) = self.core.upgrade() else {
                return;
            };
            match changed {
                Some(Ok(snapshot)) => self.apply(&core, &snapshot),
                Some(Err(closed)) => {
                    core.list.lock().freeze();
                    warn_of_end(&core, closed);
                    is_open = false;
                }
                None => self.resize(&core),
            }
        }
    }

    /// Takes more endpoints in while none of the subset is connected, and goes back to the subset once one of it is.
    fn resize(&mut self, core: &Core) {
        let Some(size) = core.selection.subset else {
            return;
        };
        let set = core.set.load();
        let connected = |it: &Endpoint| it.channel().is_connected();
        let mut of_subset = set.endpoints().iter().filter(|it| !it.is_extra());
        let extra = if of_subset.any(connected) {
            0
        } else if set.endpoints().iter().any(connected) || set.endpoints().len() < size + self.extra
        {
            // There is somebody to call, or nobody else to call.
            self.extra
        } else {
            size + 2 * self.extra
        };
        if extra == self.extra {
            return;
        }
        drop(set);
        tracing::info!(service = %core.service, subset = size, extra, "the subset is resized: an endpoint of it is connected again, or none is");
        self.extra = extra;
        self.apply(core, &self.watch.snapshot());
    }

    fn apply(&mut self, core: &Core, snapshot: &Snapshot) {
        let before = core.set.load();
        let known: HashMap<&str, &Endpoint> = before
            .endpoints()
            .iter()
            .map(|endpoint| (endpoint.instance().id(), endpoint))
            .collect();
        let candidates = self.reader.read(snapshot, &core.selection);
        let candidates = self.dedup.update(candidates);
        let (candidates, falls_back) = tagged(candidates, &core.selection.tags);
        self.warn_of_fallback(core, falls_back);
        // Without a subset all are its own.
        let size = core.selection.subset.unwrap_or(usize::MAX);
        let chosen = subset(candidates, self.seed, size, self.extra);
        let endpoints = chosen.into_iter().map(|(candidate, is_extra)| {
            let Candidate { instance, address } = candidate;
            let kept = known
                .get(instance.id())
                .filter(|endpoint| *endpoint.channel().address() == address);
            let endpoint = match kept {
                Some(endpoint) => endpoint.updated(instance),
                // Also for a new process at an address that was there before: it is cold, and none of the failures
                // there were its own. The channel is the same, out of the pool.
                None => {
                    let channel = self.pool.channel(&address);
                    // Whatever was there before, somebody is there now.
                    channel.expect_up();
                    Endpoint::new(instance, channel, core)
                }
            };
            endpoint.marked_extra(is_extra)
        });
        let set = EndpointSet::new(endpoints.collect(), &core.balancing, &core.env);
        tracing::debug!(
            service = %core.service,
            instances = snapshot.len(),
            endpoints = set.endpoints().len(),
            "instances changed"
        );
        core.list.lock().change(snapshot, falls_back);
        core.set.store(Arc::new(set));
        core.changed.notify_waiters();
        core.alarm.notify_one();
    }

    fn warn_of_fallback(&mut self, core: &Core, falls_back: bool) {
        if falls_back == std::mem::replace(&mut self.falls_back, falls_back) {
            return;
        }
        let tags = core.selection.tags.iter();
        let tags: Vec<_> = tags
            .map(|tag| format!("{}={}", tag.name, tag.value))
            .collect();
        let (service, tags) = (&core.service, tags.join(", "));
        if falls_back {
            tracing::warn!(%service, tags, "no instance that takes calls has the tags: calls go to instances without them");
        } else {
            tracing::info!(%service, tags, "calls go to instances with the tags again");
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
