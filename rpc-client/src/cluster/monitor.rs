use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use doge_registry::Watch;
use doge_rpc_core::{Status, observe::Event};
use tokio::{task::JoinSet, time::Instant};

use super::{Core, Endpoint, EndpointSet, endpoint::ConnectionState};
use crate::health::{Ejector, Health, panics};

/// Keeps endpoints connected, puts those out of rotation that fail, and brings them back once they answer.
///
/// Calls tell it what cannot wait; for the rest it looks by itself.
pub(super) struct Monitor {
    core: Weak<Core>,
    /// Told when connecting fails, because the list of instances may be out of date.
    instances: Watch,
    ejector: Ejector,
    sweep_due: Instant,
    /// Of ejected endpoints whose time is over.
    probes: JoinSet<(Endpoint, Result<(), Status>)>,
    /// Where in the set the next attempts to connect begin.
    turn: usize,
    /// Since when no endpoint is connected.
    starving: Option<Instant>,
}

/// Between two looks while an endpoint is not connected, and otherwise. A connection that was lost is so noticed
/// though nobody calls.
const SOON: Duration = Duration::from_millis(50);
const LATER: Duration = Duration::from_secs(1);

/// A client that has been connected to no endpoint of its subset for this long looks for others.
const STARVING: Duration = Duration::from_millis(250);

/// The most endpoints that one look begins to connect, so that a client of a large service does not connect to all of
/// it at once.
pub(super) const MAX_CONNECTS: usize = 32;

impl Monitor {
    pub(super) fn new(core: &Arc<Core>, instances: Watch) -> Self {
        let now = Instant::now();
        Self {
            core: Arc::downgrade(core),
            instances,
            ejector: Ejector::new(core.health.clone(), core.env.clone(), now),
            sweep_due: now,
            probes: JoinSet::new(),
            turn: 0,
            starving: None,
        }
    }

    /// Runs in a task of its own until the cluster is dropped.
    pub(super) fn start(mut self) {
        let Some(core) = self.core.upgrade() else {
            return;
        };
        let (gone, alarm) = (core.gone.clone(), Arc::clone(&core.alarm));
        drop(core);
        tokio::spawn(async move {
            let watch = async {
                let mut alarmed = true;
                while let Some(next) = self.look(alarmed) {
                    alarmed = tokio::select! {
                        biased;
                        () = alarm.notified() => true,
                        Some(probed) = self.probes.join_next() => {
                            if let Ok((endpoint, probed)) = probed {
                                self.probed(&endpoint, probed);
                            }
                            true
                        }
                        () = tokio::time::sleep_until(next) => false,
                    };
                }
            };
            gone.run_until_cancelled(watch).await;
        });
    }

    /// Looks at all endpoints, and says when to look again; `None` when the cluster is gone.
    fn look(&mut self, alarmed: bool) -> Option<Instant> {
        let core = self.core.upgrade()?;
        let set = core.set.load_full();
        let now = Instant::now();
        let unconnected = self.connect(&core, &set, now);
        self.look_at_subset(&core, &set, now);
        if alarmed || now >= self.sweep_due {
            self.sweep(&core, &set, now);
        }
        let usable = set.endpoints().iter().filter(|it| it.is_usable(false));
        set.set_panicking(panics(
            usable.count(),
            set.endpoints().len(),
            core.health.panic_threshold,
        ));
        let pause = if unconnected { SOON } else { LATER };
        Some(self.sweep_due.min(now + pause))
    }

    /// Connects those that are not, and tells whether there are some.
    fn connect(&mut self, core: &Core, set: &EndpointSet, now: Instant) -> bool {
        let endpoints = set.endpoints();
        let (before, from) = endpoints.split_at(self.turn.min(endpoints.len()));
        let (mut started, mut unconnected, mut back) = (0, false, false);
        for (index, endpoint) in from.iter().chain(before).enumerate() {
            if endpoint.has_failed_to_connect() {
                // The instance may be gone.
                self.instances.refresh();
            }
            match endpoint.connection_state() {
                ConnectionState::Unconnected => {}
                ConnectionState::Reconnected => {
                    // A new process, or one that was cut off: what it failed at before is past. But one that breaks
                    // off at each call is back each time, too.
                    if !endpoint.is_flapping() {
                        self.restored(core, endpoint);
                    }
                    endpoint.load().warm_up_from(now);
                    back = true;
                    continue;
                }
                ConnectionState::Connected => continue,
            }
            unconnected = true;
            if started == MAX_CONNECTS {
                self.turn = (self.turn + index) % endpoints.len();
                break;
            }
            started += usize::from(endpoint.channel().keep_connected());
        }
        if back {
            // Calls may be waiting for this.
            core.changed.notify_waiters();
        }
        unconnected
    }

    /// Lets the discovery know when the subset that this client calls is too small, or large enough again.
    fn look_at_subset(&mut self, core: &Core, set: &EndpointSet, now: Instant) {
        if core.selection.subset.is_none() {
            return;
        }
        let connected = |it: &&Endpoint| it.channel().is_connected();
        let mut own = set.endpoints().iter().filter(|it| !it.is_extra());
        let has_extra = set.endpoints().iter().any(Endpoint::is_extra);
        if own.any(|it| connected(&it)) {
            self.starving = None;
            if has_extra {
                core.starved.notify_one();
            }
        } else if set.endpoints().iter().any(|it| connected(&it)) {
            self.starving = None;
        } else if now >= *self.starving.get_or_insert(now) + STARVING {
            self.starving = None;
            core.starved.notify_one();
        }
    }

    fn sweep(&mut self, core: &Core, set: &EndpointSet, now: Instant) {
        let healths: Vec<Arc<Health>> = set
            .endpoints()
            .iter()
            .map(|endpoint| Arc::clone(endpoint.health()))
            .collect();
        let sweep = self.ejector.sweep(now, &healths);
        self.sweep_due = sweep.next;
        core.counters.ejected(sweep.ejected.len());
        for index in sweep.ejected {
            let address = set.endpoints()[index].channel().address();
            core.watch
                .observers
                .observe(&Event::EndpointEjected(address));
            tracing::warn!(service = %core.service, %address, "an endpoint is ejected for its failures");
        }
        for index in sweep.probe {
            let endpoint = set.endpoints()[index].clone();
            self.probes.spawn(async move {
                let probed = endpoint.channel().renew().await;
                (endpoint, probed)
            });
        }
    }

    /// Puts an endpoint back into rotation, if it is out.
    fn restored(&self, core: &Core, endpoint: &Endpoint) {
        if self.ejector.restored(endpoint.health()) {
            let address = endpoint.channel().address();
            core.watch
                .observers
                .observe(&Event::EndpointReturned(address));
        }
    }

    fn probed(&mut self, endpoint: &Endpoint, probed: Result<(), Status>) {
        let Some(core) = self.core.upgrade() else {
            return;
        };
        let (now, address) = (Instant::now(), endpoint.channel().address());
        match probed {
            Ok(()) => {
                tracing::info!(%address, "an ejected endpoint is back");
                self.restored(&core, endpoint);
                endpoint.load().warm_up_from(now);
            }
            Err(why) => {
                tracing::debug!(%address, %why, "an ejected endpoint does not answer");
                self.ejector.still_bad(now, endpoint.health());
            }
        }
    }
}
