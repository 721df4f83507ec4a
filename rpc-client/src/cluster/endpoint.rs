use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use doge_registry::Instance;
use doge_rpc_core::{
    Status,
    call::{BoxedService, Layers, Request, Response},
};
use tokio::time::Instant;

use super::{Core, EndpointStats, line::Line, nearness::is_on_this_machine};
use crate::{
    Channel,
    balance::{EndpointLoad, Nearness},
    channel::ConnectWait,
    health::{Health, HealthOutcome},
    status_tables::load_sample,
    watch::Tally,
};

/// An instance as a client sees it. Cheap to clone.
#[derive(Clone)]
pub(super) struct Endpoint {
    instance: Arc<Instance>,
    load: Arc<EndpointLoad>,
    is_local: bool,
    line: Arc<Line>,
    /// Whether it was connected when that was last looked at.
    was_connected: Arc<AtomicBool>,
    /// The channel with the layers of an attempt around it, if there are any.
    layered: Option<BoxedService>,
}

impl Endpoint {
    pub(super) fn new(instance: Arc<Instance>, channel: Channel, core: &Core) -> Self {
        let line = Line::new(channel, Health::new(&core.health), core);
        let line = Arc::new(line);
        let layered = (!core.attempt_layers.is_empty()).then(|| {
            let bare = (Arc::clone(&line), Arc::clone(&core.alone));
            core.attempt_layers
                .around(tower::service_fn(move |request| {
                    let (line, alone) = bare.clone();
                    let wait = ConnectWait::of_attempt(alone.load(Ordering::Relaxed));
                    async move { line.call(&request, wait, Instant::now()).await }
                }))
        });
        let load = EndpointLoad::new(instance.address(), instance.weight(), Instant::now());
        Self {
            is_local: core.balancing.prefer_local && is_on_this_machine(line.channel().address()),
            load: Arc::new(load),
            was_connected: Arc::default(),
            instance,
            line,
            layered,
        }
    }

    /// The same endpoint, after the instance has said something else about itself.
    pub(super) fn updated(&self, instance: Arc<Instance>) -> Self {
        self.load.set_weight(instance.weight());
        Self {
            instance,
            ..self.clone()
        }
    }

    pub(super) fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    pub(super) fn channel(&self) -> &Channel {
        self.line.channel()
    }

    pub(super) fn load(&self) -> &Arc<EndpointLoad> {
        &self.load
    }

    pub(super) fn health(&self) -> &Arc<Health> {
        self.line.health()
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
        self.channel().is_connected() && (panicking || !self.health().is_ejected())
    }

    /// What has become of its connection since the last look.
    pub(super) fn connection_state(&self) -> ConnectionState {
        let is = self.channel().is_connected();
        let was = self.was_connected.swap(is, Ordering::Relaxed);
        match (was, is) {
            (_, false) => ConnectionState::Unconnected,
            (false, true) => ConnectionState::Reconnected,
            (true, true) => ConnectionState::Connected,
        }
    }

    /// Whether it breaks off under calls again and again.
    pub(super) fn is_flapping(&self) -> bool {
        self.line.flaps().is_flapping()
    }

    /// Makes an attempt, which begins `now`, counts it and remembers how it went. Dropping the future cancels the attempt, which
    /// says how long the endpoint took at least.
    pub(super) async fn attempt(
        &self,
        request: &Request,
        wait: ConnectWait,
        now: Instant,
        tally: &Tally,
    ) -> Result<Response, Status> {
        let counted = tally.begin().with_failures(self.line.failures());
        let in_flight = self.load.begin(now);
        let answer = match &self.layered {
            Some(layered) => Layers::attempt(layered.clone(), request.clone()).await,
            None => self.line.call(request, wait, now).await,
        };
        if let Some(sample) = load_sample(&answer, || self.channel().is_connected()) {
            in_flight.end(Instant::now(), sample);
        }
        counted.end(&answer);
        answer
    }

    /// Counts that an attempt was given up because it took too long.
    pub(super) fn timed_out(&self) {
        self.line.record(HealthOutcome::Failure);
    }

    pub(super) fn stats(&self, now: Instant) -> EndpointStats {
        let connector = self.channel().connector_stats(now);
        EndpointStats {
            instance: self.instance.id().to_owned(),
            address: self.channel().address().to_string(),
            zone: self.instance.zone().map(str::to_owned),
            weight: self.instance.weight(),
            connected: connector.connected,
            why_not_connected: connector.why_not,
            next_connect_in: connector.next_in,
            connections: connector.connections,
            ejected: self.health().is_ejected(),
            probe_in: self.health().probe_in(now),
            failures: self.line.failures().read(),
            in_flight: self.load.in_flight(),
            latency: self.load.latency(now),
        }
    }
}

/// How a look finds a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionState {
    /// There is none.
    Unconnected,
    /// There was none at the last look.
    Reconnected,
    /// There is one, as before.
    Connected,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("instance", &self.instance)
            .field("load", &self.load)
            .field("health", self.health())
            .finish_non_exhaustive()
    }
}
