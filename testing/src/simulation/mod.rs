//! Runs of services on a simulated network, each of which its seed repeats.

mod host;
mod log;
mod seeds;

use std::{any::Any, collections::BTreeMap, fmt, panic::resume_unwind, sync::Arc, time::Duration};

use doge_base::Env;
use doge_registry::Registry;
use parking_lot::Mutex;

pub use self::{host::Host, seeds::Seeds};
use self::{host::Processes, log::Log};
use crate::{FaultyRegistry, Network};

/// One run of services on a simulated network, with a faulty registry: everything that happens in it follows from its
/// seed.
///
/// It runs on a runtime of one thread with tokio's clock paused, so that minutes pass in milliseconds. What is to be
/// repeatable takes chance from [`env`](Self::env), has no order from a hasher, and makes its `select!`s `biased`.
///
/// Cheap to clone; all clones are the same run.
#[derive(Clone)]
pub struct Simulation {
    shared: Arc<Shared>,
}

struct Shared {
    seed: u64,
    env: Env,
    network: Network,
    registry: FaultyRegistry,
    log: Log,
    processes: Mutex<BTreeMap<String, Processes>>,
    invariants: Mutex<Vec<Invariant>>,
    /// What a process has panicked with.
    panicked: Mutex<Option<Box<dyn Any + Send>>>,
}

/// What has to hold at all times.
type Invariant = Box<dyn Fn() -> Result<(), String> + Send>;

/// Between two looks at the invariants.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

impl Simulation {
    /// Runs over this many seeds, from 0; see [`Seeds::run`].
    #[must_use]
    pub fn seeds(count: u64) -> Seeds {
        Seeds::new(count)
    }

    fn new(seed: u64) -> Self {
        // Each part has a sequence of its own: a number more in one does not change what happens in the others.
        let env = Env::seeded(seed);
        let part = || Env::seeded(env.number());
        Self {
            shared: Arc::new(Shared {
                seed,
                network: Network::new(part()),
                registry: FaultyRegistry::new(part()),
                env: part(),
                log: Log::new(),
                processes: Mutex::default(),
                invariants: Mutex::default(),
                panicked: Mutex::default(),
            }),
        }
    }

    /// The seed of this run.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.shared.seed
    }

    /// Where the clients and servers of this run, and the test itself, take chance from.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.shared.env
    }

    /// The network, for its faults.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.shared.network
    }

    /// The registry, for its faults.
    #[must_use]
    pub fn registry(&self) -> &FaultyRegistry {
        &self.shared.registry
    }

    /// A host of the network. It need not be made before.
    #[must_use]
    pub fn host(&self, name: impl Into<String>) -> Host {
        Host::new(self.clone(), name.into())
    }

    /// Writes a line into the log of the run, with the time since its start.
    pub fn record(&self, text: impl fmt::Display) {
        self.shared.log.record(text);
    }

    /// Adds what has to hold at all times. It is looked at every 20 ms and at the end; what it returns fails the run.
    pub fn always(&self, invariant: impl Fn() -> Result<(), String> + Send + 'static) {
        self.shared.invariants.lock().push(Box::new(invariant));
    }

    fn shared_registry(&self) -> Arc<dyn Registry> {
        Arc::new(self.shared.registry.clone())
    }

    /// Lets go of what holds the run itself, and returns its log.
    fn end(&self) -> Vec<String> {
        self.shared.processes.lock().clear();
        self.shared.invariants.lock().clear();
        self.shared.log.take()
    }

    /// The last lines of the log.
    fn tail(&self) -> Vec<String> {
        self.shared.log.tail()
    }

    /// Looks whether a process has panicked, and at all invariants.
    #[track_caller]
    fn check(&self) {
        if let Some(panic) = self.shared.panicked.lock().take() {
            resume_unwind(panic);
        }
        for invariant in &*self.shared.invariants.lock() {
            if let Err(broken) = invariant() {
                self.record(format_args!("broken: {broken}"));
                panic!("an invariant does not hold: {broken}");
            }
        }
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("seed", &self.shared.seed)
            .finish_non_exhaustive()
    }
}
