//! A service whose handlers do what a test needs, and ways to watch them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use doge_rpc::{
    prelude::*,
    server::{Builder, Running},
    transport::Address,
};
use tokio::sync::{Notify, watch};

/// Nothing here takes longer, unless it hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

#[service(name = "probe")]
pub(crate) trait Probe {
    /// Answers at once.
    #[rpc(idempotent)]
    async fn echo(&self, value: u64) -> Result<u64, Status>;

    /// Waits until the test opens the gate.
    async fn gated(&self) -> Result<(), Status>;

    /// Never answers.
    async fn hang(&self) -> Result<(), Status>;

    /// Panics, before or after it had to wait.
    async fn panic(&self, wait: bool) -> Result<(), Status>;

    /// Time that is left to the call, in milliseconds.
    async fn time_left(&self) -> Result<u64, Status>;

    /// Keeps its thread busy for so long.
    async fn burn(&self, millis: u64) -> Result<(), Status>;
}

/// What the handlers share with the test.
#[derive(Clone, Default)]
pub(crate) struct Handlers(Arc<Shared>);

struct Shared {
    gate: Notify,
    started: AtomicUsize,
    running: watch::Sender<usize>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            gate: Notify::new(),
            started: AtomicUsize::new(0),
            running: watch::Sender::new(0),
        }
    }
}

impl Handlers {
    /// A server of these handlers.
    pub(crate) fn server(&self) -> Builder {
        Server::builder().add(ProbeServer::new(self.clone()))
    }

    /// A server of these handlers, and a patient client of it, over a real socket.
    pub(crate) async fn connected(&self) -> (Running, ProbeClient) {
        let server = self.server().start("tcp://127.0.0.1:0").await.unwrap();
        let client = ProbeClient::connect(server.address()).unwrap();
        (server, client.with(patient()))
    }

    /// A server of these handlers that clients find in a registry.
    pub(crate) async fn registered(&self, registry: &Arc<dyn Registry>) -> Running {
        let server = self.server().registry(registry);
        server.start("tcp://127.0.0.1:0").await.unwrap()
    }

    /// Serves at an address that a server has just left, which the system may take a moment to free.
    pub(crate) async fn serve_again(&self, address: &Address) -> Running {
        let serve = async {
            loop {
                match self.server().start(address).await {
                    Ok(running) => return running,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        tokio::time::timeout(LIMIT, serve)
            .await
            .expect("the address is free")
    }

    /// Lets one gated call go on.
    pub(crate) fn open_gate(&self) {
        self.0.gate.notify_one();
    }

    /// Handlers that began since the start.
    pub(crate) fn started(&self) -> usize {
        self.0.started.load(Ordering::SeqCst)
    }

    /// Waits until so many handlers run.
    pub(crate) async fn until_running(&self, count: usize) {
        let mut running = self.0.running.subscribe();
        let reached = running.wait_for(|running| *running == count);
        tokio::time::timeout(LIMIT, reached)
            .await
            .expect("handlers start and stop")
            .unwrap();
    }

    fn start(&self) -> Run {
        self.0.started.fetch_add(1, Ordering::SeqCst);
        self.0.running.send_modify(|running| *running += 1);
        Run(Arc::clone(&self.0))
    }
}

/// A handler that runs; stopping it drops this.
struct Run(Arc<Shared>);

impl Drop for Run {
    fn drop(&mut self) {
        self.0.running.send_modify(|running| *running -= 1);
    }
}

impl Probe for Handlers {
    async fn echo(&self, value: u64) -> Result<u64, Status> {
        let _run = self.start();
        Ok(value)
    }

    async fn gated(&self) -> Result<(), Status> {
        let _run = self.start();
        self.0.gate.notified().await;
        Ok(())
    }

    async fn hang(&self) -> Result<(), Status> {
        let _run = self.start();
        std::future::pending().await
    }

    async fn panic(&self, wait: bool) -> Result<(), Status> {
        let _run = self.start();
        if wait {
            tokio::task::yield_now().await;
        }
        panic!("asked to")
    }

    async fn time_left(&self) -> Result<u64, Status> {
        let context = Context::current().ok_or_else(|| Status::internal("no context"))?;
        Ok(u64::try_from(context.remaining().as_millis()).unwrap_or(u64::MAX))
    }

    async fn burn(&self, millis: u64) -> Result<(), Status> {
        let _run = self.start();
        let until = std::time::Instant::now() + Duration::from_millis(millis);
        while std::time::Instant::now() < until {
            std::hint::spin_loop();
        }
        Ok(())
    }
}

/// Options with a deadline that only a hang reaches.
pub(crate) fn patient() -> CallOptions {
    CallOptions::new().timeout(LIMIT)
}
