use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use doge_base::Env;
use doge_rpc_core::call::Request;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::time::Instant;

use super::{Endpoint, monitor::MAX_CONNECTS};
use crate::{
    balance::{Balancer, Balancing, HashKey, LoadBalancing},
    ha::{Pick, Reach, Tried},
};

/// The endpoints of a cluster at one moment, and who of them is next. A call sees one set from its first attempt to
/// its last.
#[derive(Debug)]
pub(super) struct EndpointSet {
    endpoints: Vec<Endpoint>,
    balancer: Balancer,
    /// What of a call decides, for a balancer that hashes.
    key: Option<HashKey>,
    /// So few can be used that ejections no longer count.
    panicking: AtomicBool,
}

impl EndpointSet {
    pub(super) fn new(endpoints: Vec<Endpoint>, balancing: &Balancing, env: &Env) -> Self {
        let zone = balancing.zone.as_deref();
        let near = |endpoint: &Endpoint| (Arc::clone(endpoint.load()), endpoint.nearness(zone));
        let loads = endpoints.iter().map(near).collect();
        Self {
            balancer: Balancer::new(balancing, loads, Instant::now(), env),
            key: match &balancing.policy {
                LoadBalancing::ConsistentHash(hash) => Some(hash.key.clone()),
                _ => None,
            },
            endpoints,
            panicking: AtomicBool::new(false),
        }
    }

    pub(super) fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    pub(super) fn set_panicking(&self, panicking: bool) {
        self.panicking.store(panicking, Ordering::Relaxed);
    }

    pub(super) fn is_panicking(&self) -> bool {
        self.panicking.load(Ordering::Relaxed)
    }

    /// The endpoint for the next attempt, none that was tried: one that is connected and in rotation; for want of such
    /// one that is connected; then one that may get connected; and one that is down if there is nothing else.
    #[inline]
    pub(super) fn pick(&self, request: &Request, tried: &Tried, now: Instant) -> Option<Pick> {
        let panicking = self.panicking.load(Ordering::Relaxed);
        let key = self.key_of(request);
        let pick = |may: &dyn Fn(&Endpoint) -> bool| {
            self.balancer.pick(now, key, |index| {
                !tried.contains(index) && may(&self.endpoints[index])
            })
        };
        self.balancer
            .pick(now, key, |index| {
                let endpoint = &self.endpoints[index];
                endpoint.is_usable(panicking) && !tried.contains(index)
            })
            .or_else(|| pick(&|endpoint| endpoint.channel().is_connected()))
            .map(|endpoint| Pick::new(endpoint, Reach::Connected))
            .or_else(|| {
                let connecting = pick(&|endpoint| !endpoint.channel().is_down());
                connecting.map(|endpoint| Pick::new(endpoint, Reach::Connecting))
            })
            .or_else(|| pick(&|_| true).map(|endpoint| Pick::new(endpoint, Reach::Down)))
    }

    /// Whether there is a connection to any of them.
    pub(super) fn is_connected(&self) -> bool {
        let mut endpoints = self.endpoints.iter();
        endpoints.any(|endpoint| endpoint.channel().is_connected())
    }

    /// Waits until there is a connection to any of them, until no attempt to connect is under way, or until the deadline.
    /// Cancel safe.
    pub(super) async fn connect_any(&self, from: usize, until: Instant) {
        let (before, from) = self.endpoints.split_at(from.min(self.endpoints.len()));
        let endpoints = from.iter().chain(before).take(MAX_CONNECTS);
        let attempts = endpoints.map(|endpoint| endpoint.channel().connected_by(until));
        let mut attempts: FuturesUnordered<_> = attempts.collect();
        while let Some(is_connected) = attempts.next().await {
            if is_connected {
                return;
            }
        }
    }

    /// Whether a pick would find an endpoint that is not down, none that was tried.
    pub(super) fn has_up(&self, tried: &Tried) -> bool {
        let mut untried = (0..self.endpoints.len()).filter(|index| !tried.contains(*index));
        untried.any(|index| !self.endpoints[index].channel().is_down())
    }

    /// The endpoint for a hedge, none that was tried: where a first attempt would go, and nowhere worse.
    pub(super) fn pick_for_hedge(
        &self,
        request: &Request,
        tried: &Tried,
        now: Instant,
    ) -> Option<usize> {
        let panicking = self.panicking.load(Ordering::Relaxed);
        let key = self.key_of(request);
        self.balancer.pick_ready(now, key, |index| {
            self.endpoints[index].is_usable(panicking) && !tried.contains(index)
        })
    }

    fn key_of(&self, request: &Request) -> Option<u64> {
        self.key.as_ref().and_then(|key| key.hash(request))
    }
}
