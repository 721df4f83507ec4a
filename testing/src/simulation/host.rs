use std::{fmt, future::Future, panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Duration};

use doge_rpc_client::{Channel, ChannelConfig, ChannelPool, ClusterBuilder};
use doge_rpc_core::transport::{Address, Transport};
use doge_rpc_server::{Builder, Server};
use futures_util::FutureExt as _;
use tokio::task::JoinHandle;

use super::{Simulation, log::Recorder};

/// A host of a [`Simulation`], whose processes start, crash and start again.
///
/// Clients and servers that are made here take their network, their registry and their chance from the run, and their
/// events are in its log.
#[derive(Clone)]
pub struct Host {
    simulation: Simulation,
    name: String,
}

/// What runs at a host.
#[derive(Default)]
pub(super) struct Processes {
    start: Vec<Start>,
    running: Vec<JoinHandle<()>>,
}

type Start = Arc<dyn Fn(Host) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

impl Host {
    pub(super) fn new(simulation: Simulation, name: String) -> Self {
        Self { simulation, name }
    }

    /// Its name, which is the host of its addresses.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The run.
    #[must_use]
    pub fn simulation(&self) -> &Simulation {
        &self.simulation
    }

    /// What it connects and listens with.
    #[must_use]
    pub fn transport(&self) -> Arc<dyn Transport> {
        self.simulation.network().transport(&self.name)
    }

    /// A server, to which services are to be added. It registers in the registry of the run.
    #[must_use]
    pub fn server(&self) -> Builder {
        Server::builder()
            .transport(self.transport())
            .env(self.simulation.env().clone())
            .registry(&self.simulation.shared_registry())
            .observer(self.recorder())
    }

    /// A cluster as the builder has it, which follows the registry of the run.
    pub fn cluster(&self, cluster: ClusterBuilder) -> ClusterBuilder {
        cluster
            .registry(&self.simulation.shared_registry())
            .pool(&ChannelPool::new(self.channel_config()))
            .env(self.simulation.env().clone())
            .observer(self.recorder())
    }

    /// A channel to an address of the network.
    #[must_use]
    pub fn channel(&self, address: Address) -> Channel {
        let config = ChannelConfig {
            observers: vec![Arc::new(self.recorder())],
            ..self.channel_config()
        };
        Channel::with_config(address, config)
    }

    /// How channels connect from here.
    #[must_use]
    pub fn channel_config(&self) -> ChannelConfig {
        ChannelConfig {
            transport: self.transport(),
            env: self.simulation.env().clone(),
            ..ChannelConfig::default()
        }
    }

    /// Starts a process here, which a [crash](Self::crash) ends wherever it is, and a [restart](Self::restart) starts anew. Its
    /// panic fails the run.
    pub fn run<F, P>(&self, process: F)
    where
        F: Fn(Self) -> P + Send + Sync + 'static,
        P: Future<Output = ()> + Send + 'static,
    {
        let start: Start = Arc::new(move |host| Box::pin(process(host)));
        let running = self.spawn(&start);
        let mut processes = self.simulation.shared.processes.lock();
        let here = processes.entry(self.name.clone()).or_default();
        here.start.push(start);
        here.running.push(running);
    }

    /// Kills all processes: connections are reset, and instances stay registered until they [expire](Self::expire). What a
    /// process has spawned in tasks of its own goes on; a `JoinSet` of the process ends it.
    pub fn crash(&self) {
        self.simulation.record(format_args!("{}: crash", self.name));
        self.simulation.registry().lose(&self.name);
        self.simulation.network().kill(&self.name);
        self.stop();
    }

    /// Cuts the power: peers hear nothing any more, and instances stay registered until they [expire](Self::expire).
    pub fn cut_power(&self) {
        self.simulation
            .record(format_args!("{}: power cut", self.name));
        self.simulation.registry().lose(&self.name);
        self.simulation.network().silence(&self.name);
        self.stop();
    }

    /// Starts all processes anew that were ever started here. What still runs is killed.
    pub fn restart(&self) {
        self.simulation
            .record(format_args!("{}: restart", self.name));
        self.simulation.network().restore(&self.name);
        self.simulation.registry().lose(&self.name);
        // What still runs there is gone at once, and with it what it listened at.
        self.simulation.network().kill(&self.name);
        self.stop();
        let mut processes = self.simulation.shared.processes.lock();
        if let Some(here) = processes.get_mut(&self.name) {
            let start = here.start.iter().map(|start| self.spawn(start));
            here.running = start.collect();
        }
    }

    /// Waits for as long as registrations live, and lets those expire that were there when the host was lost.
    pub async fn expire(&self, after: Duration) {
        tokio::time::sleep(after).await;
        self.simulation
            .record(format_args!("{}: expired", self.name));
        self.simulation.registry().expire(&self.name);
    }

    /// Runs a process in a task of its own; its panic is that of the run.
    fn spawn(&self, start: &Start) -> JoinHandle<()> {
        let process = AssertUnwindSafe(start(self.clone())).catch_unwind();
        let simulation = self.simulation.clone();
        tokio::spawn(async move {
            if let Err(panic) = process.await {
                simulation.shared.panicked.lock().get_or_insert(panic);
            }
        })
    }

    fn stop(&self) {
        let mut processes = self.simulation.shared.processes.lock();
        if let Some(here) = processes.get_mut(&self.name) {
            here.running.drain(..).for_each(|process| process.abort());
        }
    }

    fn recorder(&self) -> Recorder {
        Recorder {
            simulation: self.simulation.clone(),
            host: self.name.clone(),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").field(&self.name).finish()
    }
}
