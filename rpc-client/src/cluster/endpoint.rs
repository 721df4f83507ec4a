use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use doge_registry::Instance;
use doge_rpc_core::{
    Status,
    call::{BoxedService, Layers, Request, Response},
};
use tokio::{sync::Notify, time::Instant};

use super::{
    Core, EndpointStats,
    endpoint_guards::{AttemptGuard, CallGuard},
    flaps::ConnectionFlaps,
    nearness::is_on_this_machine,
};
use crate::{
    Channel,
    balance::{EndpointLoad, Nearness},
    channel::ConnectWait,
    health::{Health, HealthOutcome},
    watch::{Failures, Subscription, Tally},
};

/// An instance as a client sees it: the channel to the instance, and what calls over the channel tell of its health and
/// load. Cheap to clone.
#[derive(Clone)]
pub(super) struct Endpoint {
    instance: Arc<Instance>,
    shared: Arc<EndpointState>,
    /// The calls with the layers of an attempt around them, if there are any.
    layered: Option<BoxedService>,
    /// It is none of the subset, and called as long as none of the subset is connected.
    is_extra: bool,
}

/// What stays when the instance says something else about itself.
#[derive(Debug)]
pub(super) struct EndpointState {
    channel: Channel,
    health: Arc<Health>,
    load: Arc<EndpointLoad>,
    is_local: bool,
    flaps: ConnectionFlaps,
    /// Attempts that failed, those at a layer included.
    failures: Arc<Failures>,
    /// Whether it was connected when that was last looked at.
    was_connected: AtomicBool,
    /// In a row, at the last look of the monitor.
    failed_connects: AtomicU32,
    /// Notified when an ejection may be due.
    alarm: Arc<Notify>,
    /// Send the events of its connections to the observers of the cluster, until they are dropped.
    _subscriptions: Vec<Subscription>,
}

impl Endpoint {
    pub(super) fn new(instance: Arc<Instance>, channel: Channel, core: &Core) -> Self {
        let observers = core.watch.observers.iter();
        let load = EndpointLoad::new(
            instance.address(),
            instance.weight(),
            Instant::now(),
            &core.env,
        );
        let shared = Arc::new(EndpointState {
            _subscriptions: observers.map(|it| channel.subscribe(it)).collect(),
            health: Arc::new(Health::new(&core.health)),
            load: Arc::new(load),
            is_local: core.balancing.prefer_local && is_on_this_machine(channel.address()),
            channel,
            flaps: ConnectionFlaps::default(),
            failures: Arc::default(),
            was_connected: AtomicBool::new(false),
            failed_connects: AtomicU32::new(0),
            alarm: Arc::clone(&core.alarm),
        });
        let layered = (!core.attempt_layers.is_empty()).then(|| {
            let below = Arc::clone(&shared);
            core.attempt_layers
                .around(tower::service_fn(move |request: Request| {
                    let shared = Arc::clone(&below);
                    // A layer that makes a request of its own leaves time for other endpoints.
                    let wait = request.extensions().get::<ConnectWait>().copied();
                    let wait = wait.unwrap_or(ConnectWait::HalfOfRemaining);
                    async move { shared.call(&request, wait, Instant::now()).await }
                }))
        });
        Self {
            instance,
            shared,
            layered,
            is_extra: false,
        }
    }

    /// The same, called for want of the subset or not.
    pub(super) fn marked_extra(self, is_extra: bool) -> Self {
        Self { is_extra, ..self }
    }

    /// Whether it is called for want of the subset.
    pub(super) fn is_extra(&self) -> bool {
        self.is_extra
    }

    /// The same endpoint, after the instance has said something else about itself.
    pub(super) fn updated(&self, instance: Arc<Instance>) -> Self {
        self.load().set_weight(instance.weight());
        Self {
            instance,
            ..self.clone()
        }
    }

    pub(super) fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.shared.channel
    }

    pub(super) fn load(&self) -> &Arc<EndpointLoad> {
        &self.shared.load
    }

    pub(super) fn health(&self) -> &Arc<Health> {
        &self.shared.health
    }

    /// How near it is to this process, which runs in `zone`.
    pub(super) fn nearness(&self, zone: Option<&str>) -> Nearness {
        if self.shared.is_local {
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
        let was = self.shared.was_connected.swap(is, Ordering::Relaxed);
        match (was, is) {
            (_, false) => ConnectionState::Unconnected,
            (false, true) => ConnectionState::Reconnected,
            (true, true) => ConnectionState::Connected,
        }
    }

    /// Whether an attempt to connect, of the monitor or of a call, has failed since the last look.
    pub(super) fn has_failed_to_connect(&self) -> bool {
        let is = self.channel().failed_connects();
        let was = self.shared.failed_connects.swap(is, Ordering::Relaxed);
        is > 0 && is != was
    }

    /// Whether its connection keeps being lost with calls in flight.
    pub(super) fn is_flapping(&self) -> bool {
        self.shared.flaps.is_flapping()
    }

    /// Begins to count an attempt, which begins `now`, wherever it ends.
    #[inline]
    pub(super) fn begin_attempt<'a>(
        &'a self,
        now: Instant,
        tally: &'a Arc<Tally>,
    ) -> AttemptGuard<'a> {
        AttemptGuard::new(
            tally.begin().with_failures(&self.shared.failures),
            self.load().begin(now),
            self,
        )
    }

    /// Begins to watch a call over the channel for what it tells of the health.
    #[inline]
    pub(super) fn begin_call<'a>(&'a self, request: &'a Request) -> CallGuard<'a> {
        CallGuard::new(&self.shared, request)
    }

    /// Makes an attempt, which begins `now`, through the layers of an attempt if there are any. Dropping the future cancels
    /// the attempt, which says how long the endpoint took at least.
    pub(super) async fn attempt(
        &self,
        request: &Request,
        wait: ConnectWait,
        now: Instant,
        tally: &Arc<Tally>,
    ) -> Result<Response, Status> {
        let attempt = self.begin_attempt(now, tally);
        let answer = match &self.layered {
            Some(layered) => {
                let mut request = request.clone();
                request.extensions_mut().insert(wait);
                Layers::attempt(layered.clone(), request).await
            }
            None => self.shared.call(request, wait, now).await,
        };
        attempt.end(&answer);
        answer
    }

    /// Counts that an attempt was given up because it took too long.
    pub(super) fn timed_out(&self) {
        self.shared.record(HealthOutcome::Failure);
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
            failures: self.shared.failures.read(),
            in_flight: self.load().in_flight(),
            latency: self.load().latency(now),
        }
    }
}

impl EndpointState {
    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(super) fn flaps(&self) -> &ConnectionFlaps {
        &self.flaps
    }

    /// Records what a call tells of the health.
    #[inline]
    pub(super) fn record(&self, outcome: HealthOutcome) {
        if self.health.record(outcome) {
            self.alarm.notify_one();
        }
    }

    /// Makes a call over the channel, which begins `now`. Layers of an attempt are above: what they refuse or hold back says
    /// nothing of the endpoint.
    async fn call(
        &self,
        request: &Request,
        wait: ConnectWait,
        now: Instant,
    ) -> Result<Response, Status> {
        let call = CallGuard::new(self, request);
        let answer = self.channel.call_slowly(wait, request, now, 0).await;
        call.end(&answer);
        answer
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
            .field("load", self.load())
            .field("health", self.health())
            .finish_non_exhaustive()
    }
}
