use std::{
    cell::RefCell,
    env,
    future::Future,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use super::{BETWEEN_LOOKS, Simulation};

/// The environment variable that names the only seed to run.
const ONE: &str = "DOGE_SEED";

/// The environment variable that says how many seeds to run.
const COUNT: &str = "DOGE_SEEDS";

/// The seeds of a test: [`Simulation::seeds`].
#[derive(Clone, Debug)]
pub struct Seeds {
    seeds: Range<u64>,
}

impl Seeds {
    pub(super) fn new(count: u64) -> Self {
        let number = |name| env::var(name).ok().and_then(|text| text.parse().ok());
        let seeds = match (number(ONE), number(COUNT)) {
            (Some(one), _) => one..one + 1,
            (None, count_of_all) => 0..count_of_all.unwrap_or(count),
        };
        Self { seeds }
    }

    /// Begins with this seed instead of 0, unless `DOGE_SEED` names one.
    #[must_use]
    pub fn from(self, first: u64) -> Self {
        let Range { start, end } = self.seeds;
        match env::var(ONE) {
            Ok(_) => Self { seeds: start..end },
            Err(_) => Self {
                seeds: first..first + (end - start),
            },
        }
    }

    /// Runs a test once for each seed. `DOGE_SEED=17` in the environment runs seed 17 alone, and `DOGE_SEEDS=100000` that
    /// many seeds.
    ///
    /// ```
    /// use doge_testing::Simulation;
    ///
    /// Simulation::seeds(3).run(|simulation| async move {
    ///     simulation.record("it begins");
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// When the test does, or when an invariant does not hold; the panic is that of the first seed that fails, after a line
    /// that says how to run it alone, and the end of its log.
    pub fn run<F, T>(self, test: F)
    where
        F: Fn(Simulation) -> T,
        T: Future<Output = ()>,
    {
        self.each(|seed, run| {
            run_one(seed, &test, run);
        });
    }

    /// Runs a test twice for each seed and compares the two logs, which are to be the same to the last byte.
    ///
    /// # Panics
    ///
    /// Like [`run`](Self::run), and at the first line that differs.
    pub fn run_twice<F, T>(self, test: F)
    where
        F: Fn(Simulation) -> T,
        T: Future<Output = ()>,
    {
        self.each(|seed, run| {
            let (first, second) = (run_one(seed, &test, run), run_one(seed, &test, run));
            for (number, (one, other)) in first.iter().zip(&second).enumerate() {
                assert!(one == other, "line {number} differs:\n{one}\n{other}");
            }
            assert_eq!(first.len(), second.len(), "one log is longer");
        });
    }

    /// Tries one seed after the other, and says how to run that one alone which panics.
    fn each(self, attempt: impl Fn(u64, &LastRun)) {
        for seed in self.seeds {
            let run = LastRun::new(None);
            let ran = catch_unwind(AssertUnwindSafe(|| attempt(seed, &run)));
            if let Err(panic) = ran {
                say_what_failed(seed, run.into_inner().as_ref());
                resume_unwind(panic);
            }
        }
    }
}

/// What was simulated last, for its log.
type LastRun = RefCell<Option<Simulation>>;

/// Runs one seed, and returns the log of the run.
fn run_one<F, T>(seed: u64, test: &F, run: &LastRun) -> Vec<String>
where
    F: Fn(Simulation) -> T,
    T: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap_or_else(|error| panic!("there is no runtime to simulate on: {error}"));
    runtime.block_on(async {
        let simulation = Simulation::new(seed);
        run.replace(Some(simulation.clone()));
        let looking = async {
            loop {
                tokio::time::sleep(BETWEEN_LOOKS).await;
                simulation.check();
            }
        };
        tokio::select! {
            biased;
            () = test(simulation.clone()) => {}
            () = looking => {}
        }
        simulation.check();
        simulation.end()
    })
}

#[expect(
    clippy::print_stderr,
    reason = "it stands beside the panic that the test ends with"
)]
fn say_what_failed(seed: u64, run: Option<&Simulation>) {
    eprintln!("seed {seed} fails; to run it alone, set {ONE}={seed}; the end of its log:");
    for line in run.map(Simulation::tail).unwrap_or_default() {
        eprintln!("{line}");
    }
}
