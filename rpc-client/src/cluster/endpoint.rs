use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use doge_registry::Instance;
use doge_rpc_core::{
    Code, Status,
    call::{BoxedService, Layers, Request, Response},
};
use tokio::time::Instant;

use super::{Core, EndpointStats, losses::Losses, nearness::is_on_this_machine};
use crate::{
    Channel,
    balance::{Nearness, Node, Sample},
    channel::Patience,
    health::{Health, Outcome, judge},
};

/// An instance as a client sees it. Cheap to clone.
#[derive(Clone)]
pub(super) struct Endpoint {
    instance: Arc<Instance>,
    channel: Channel,
    node: Arc<Node>,
    health: Arc<Health>,
    is_local: bool,
    /// Whether it is the only one.
    alone: Arc<AtomicBool>,
    losses: Arc<Losses>,
    /// Whether it was connected when that was last looked at.
    was_connected: Arc<AtomicBool>,
    /// The channel with the layers of an attempt around it, if there are any.
    layered: Option<BoxedService>,
}

impl Endpoint {
    pub(super) fn new(instance: Arc<Instance>, channel: Channel, core: &Core) -> Self {
        let layered = (!core.attempt_layers.is_empty()).then(|| {
            let bare = (channel.clone(), Arc::clone(&core.alone));
            core.attempt_layers
                .around(tower::service_fn(move |request| {
                    let (channel, alone) = bare.clone();
                    async move { channel.call_patiently(patience(&alone), &request).await }
                }))
        });
        let node = Node::new(instance.address(), instance.weight(), Instant::now());
        Self {
            is_local: core.balancing.prefer_local && is_on_this_machine(channel.address()),
            alone: Arc::clone(&core.alone),
            node: Arc::new(node),
            health: Arc::new(Health::new(&core.health)),
            losses: Arc::default(),
            was_connected: Arc::default(),
            instance,
            channel,
            layered,
        }
    }

    /// The same endpoint, after the instance has said something else about itself.
    pub(super) fn updated(&self, instance: Arc<Instance>) -> Self {
        self.node.set_weight(instance.weight());
        Self {
            instance,
            ..self.clone()
        }
    }

    pub(super) fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(super) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    pub(super) fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// How near it is to this process, which runs in `zone`.
    pub(super) fn nearness(&self, zone: Option<&str>) -> Nearness {
        if self.is_local {
            Nearness::Local
        } else if zone.is_some() && self.instance.zone() == zone {
            Nearness::Zone
        } else {
            Nearness::Far
        }
    }

    /// Whether it is connected and in rotation.
    pub(super) fn is_usable(&self, panicking: bool) -> bool {
        self.channel.is_connected() && (panicking || !self.health.is_ejected())
    }

    /// What has become of its connection since the last look.
    pub(super) fn look_at_connection(&self) -> Look {
        let is = self.channel.is_connected();
        let was = self.was_connected.swap(is, Ordering::Relaxed);
        match (was, is) {
            (_, false) => Look::Unconnected,
            (false, true) => Look::Back,
            (true, true) => Look::Connected,
        }
    }

    /// Whether it breaks off under calls again and again.
    pub(super) fn keeps_breaking_off(&self) -> bool {
        self.losses.are_repeated()
    }

    /// Makes an attempt, and remembers how it went. Beside the answer comes whether the endpoint's health wants to be
    /// looked at. Dropping the future cancels the attempt, which says only how long the endpoint took at least.
    pub(super) async fn attempt(&self, request: &Request) -> (Result<Response, Status>, bool) {
        let began = Instant::now();
        let in_flight = self.node.begin(began);
        let answer = match &self.layered {
            Some(layered) => Layers::call(layered.clone(), request.clone()).await,
            None => {
                let patience = patience(&self.alone);
                self.channel.call_patiently(patience, request).await
            }
        };
        let (outcome, sample) = self.judge(request, began, &answer);
        if let Some(sample) = sample {
            in_flight.end(Instant::now(), sample);
        }
        (answer, self.health.record(outcome))
    }

    fn judge(
        &self,
        request: &Request,
        began: Instant,
        answer: &Result<Response, Status>,
    ) -> (Outcome, Option<Sample>) {
        let Err(status) = answer else {
            self.losses.forget();
            return (Outcome::Success, Some(Sample::Answered));
        };
        if status.code() == Code::Unavailable && !self.channel.is_connected() {
            // That there is no connection keeps further calls away, and must not do so any longer than that. Only
            // its loss under calls counts, once.
            let lost = !status.never_ran() && self.losses.count(self.channel.connections());
            let outcome = if lost {
                Outcome::Failure
            } else {
                Outcome::Neutral
            };
            return (outcome, None);
        }
        let outcome = judge(answer);
        if outcome == Outcome::Success {
            self.losses.forget();
        }
        let sample = match outcome {
            Outcome::Success => Some(Sample::Answered),
            Outcome::Failure => Some(Sample::Failed {
                timeout: request.deadline().instant() - began,
            }),
            Outcome::Neutral if status.code() == Code::ResourceExhausted => {
                Some(match status.pushback() {
                    Some(pushback) => Sample::Overloaded { pushback },
                    None if status.never_ran() => Sample::Overloaded {
                        pushback: Duration::ZERO,
                    },
                    // What ran into a limit of its own, such as a user's quota, says nothing about the endpoint.
                    None => Sample::Answered,
                })
            }
            Outcome::Neutral => None,
        };
        (outcome, sample)
    }

    pub(super) fn stats(&self) -> EndpointStats {
        EndpointStats {
            instance: self.instance.id().to_owned(),
            address: self.channel.address().to_string(),
            connected: self.channel.is_connected(),
            ejected: self.health.is_ejected(),
            in_flight: self.node.in_flight(),
            latency: self.node.latency(Instant::now()),
        }
    }
}

/// How a look finds a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// There is none.
    Unconnected,
    /// There was none at the last look.
    Back,
    /// There is one, as before.
    Connected,
}

/// One that hangs must not use up the time of the next, if there is a next.
fn patience(alone: &AtomicBool) -> Patience {
    if alone.load(Ordering::Relaxed) {
        Patience::Whole {
            wait_for_ready: false,
        }
    } else {
        Patience::Half
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("instance", &self.instance)
            .field("node", &self.node)
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}
