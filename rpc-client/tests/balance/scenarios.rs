//! What can befall endpoints, and what is measured of it.

use doge_rpc_client::balance::{Balancing, ConsistentHash, HashKey, LoadBalancing, Sample};

use super::simulation::{Act, Fleet, Period, Simulation};

/// A policy, with so many endpoints and callers in a loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) policy: Policy,
    pub(crate) endpoints: usize,
    pub(crate) callers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    PeakEwma,
    LeastActive,
    RoundRobin,
    Weighted,
    Random,
    ConsistentHash,
}

impl Policy {
    pub(crate) const ALL: [Self; 6] = [
        Self::PeakEwma,
        Self::LeastActive,
        Self::RoundRobin,
        Self::Weighted,
        Self::Random,
        Self::ConsistentHash,
    ];

    pub(crate) fn balancing(self) -> Balancing {
        let policy = match self {
            Self::PeakEwma => LoadBalancing::PeakEwma,
            Self::LeastActive => LoadBalancing::LeastActive,
            Self::RoundRobin => LoadBalancing::RoundRobin,
            Self::Weighted => LoadBalancing::Weighted,
            Self::Random => LoadBalancing::Random,
            Self::ConsistentHash => {
                let key = HashKey::Metadata("key".into());
                LoadBalancing::ConsistentHash(ConsistentHash::by(key))
            }
        };
        Balancing {
            policy,
            ..Balancing::default()
        }
    }
}

impl Case {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Policy::ALL.into_iter().flat_map(|policy| {
            [2, 10, 100].into_iter().flat_map(move |endpoints| {
                [1, 4, 64].map(|callers| Self {
                    policy,
                    endpoints,
                    callers,
                })
            })
        })
    }

    /// How many milliseconds a usual call takes: so many that no case has many more calls than it takes to tell shares.
    pub(crate) fn millis(self) -> f64 {
        match (self.callers, self.endpoints) {
            (1, 2) => 10.0,
            (1, 10) => 5.0,
            (1, _) => 2.0,
            (4, 2) => 40.0,
            (4, 10) => 20.0,
            (4, _) => 8.0,
            (_, 100) => 150.0,
            _ => 200.0,
        }
    }

    /// Calls per second at an endpoint, where all get the same and are as fast as usual.
    pub(crate) fn fair_rate(self) -> f64 {
        self.callers as f64 / self.millis() * 1e3 / self.endpoints as f64
    }

    /// How many endpoints it befalls, the first ones: one, or a tenth of all.
    pub(crate) fn befallen(self) -> usize {
        (self.endpoints / 10).max(1)
    }

    fn fleet(self) -> Fleet {
        Fleet::new(1, &vec![100; self.endpoints])
    }

    fn simulation(self, fleet: &Fleet) -> Simulation<'_> {
        let balancer = fleet.balancer(&self.policy.balancing(), 0);
        Simulation::new(fleet, balancer, self.callers, self.millis())
    }
}

/// What was measured, by name.
pub(crate) type Outcome = Vec<(&'static str, f64)>;

fn fails_or_answers(case: Case, at: usize) -> Act {
    if at < case.befallen() {
        (0.1 * case.millis(), Sample::Failed)
    } else {
        answered(case.millis())
    }
}

fn answered(millis: f64) -> Act {
    (millis, Sample::Answered)
}

pub(crate) fn equal(case: Case) -> Outcome {
    let fleet = case.fleet();
    let mut simulation = case.simulation(&fleet);
    let period = simulation.run(20.0, |_, _| answered(case.millis()));
    let [least, most] = period.extremes();
    vec![("least share", least), ("most share", most)]
}

pub(crate) fn half_weight(case: Case) -> Outcome {
    let mut weights = vec![100; case.endpoints];
    weights[..case.befallen()].fill(50);
    let fleet = Fleet::new(1, &weights);
    let mut simulation = case.simulation(&fleet);
    let period = simulation.run(20.0, |_, _| answered(case.millis()));
    vec![("share", period.share(case.befallen()))]
}

/// Some endpoints come while the others are there for long. Their first call takes so many times as long as usual.
pub(crate) fn newcomer(case: Case, first: f64) -> Outcome {
    let fleet = case.fleet();
    come(case, &fleet, case.simulation(&fleet), first)
}

/// Some endpoints fail, are ejected, and come back.
pub(crate) fn after_ejection(case: Case) -> Outcome {
    let fleet = case.fleet();
    let mut simulation = case.simulation(&fleet);
    simulation.run(5.0, |at, _| fails_or_answers(case, at));
    come(case, &fleet, simulation, 1.0)
}

fn come(case: Case, fleet: &Fleet, mut simulation: Simulation<'_>, first: f64) -> Outcome {
    let befallen = case.befallen();
    simulation.in_rotation[..befallen].fill(false);
    let mut cold = vec![true; befallen];
    let mut serve = |at: usize, _| {
        let is_first = cold
            .get_mut(at)
            .is_some_and(|cold| std::mem::replace(cold, false));
        let factor = if is_first { first } else { 1.0 };
        answered(case.millis() * factor)
    };
    simulation.run(5.0, &mut serve);
    for node in &fleet.nodes[..befallen] {
        node.warm_up_from(simulation.now());
    }
    simulation.in_rotation[..befallen].fill(true);
    let share = |period: Period| period.share(befallen);
    let beginning = simulation.run(10.0, &mut serve);
    let gap = beginning.longest_gap(befallen);
    vec![
        ("share, 0 to 10 s", share(beginning)),
        ("share, 10 to 30 s", share(simulation.run(20.0, &mut serve))),
        ("share, 30 to 40 s", share(simulation.run(10.0, &mut serve))),
        ("longest gap, 0 to 10 s", gap),
    ]
}

/// One call takes ten times as long as usual.
pub(crate) fn hiccup(case: Case) -> Outcome {
    let (fleet, befallen) = (case.fleet(), case.befallen());
    let mut simulation = case.simulation(&fleet);
    simulation.run(5.0, |_, _| answered(case.millis()));
    let mut next = vec![true; befallen];
    let period = simulation.run(20.0, |at, _| {
        let hiccups = next
            .get_mut(at)
            .is_some_and(|next| std::mem::replace(next, false));
        answered(case.millis() * if hiccups { 10.0 } else { 1.0 })
    });
    vec![
        ("share", period.share(befallen)),
        ("longest gap", period.longest_gap(befallen)),
    ]
}

/// Calls take long by chance, at all endpoints alike: `factor` says how many times as long as usual, of a number from 0
/// to 1.
pub(crate) fn chance(case: Case, factor: impl Fn(&dyn Fn() -> f64) -> f64) -> Outcome {
    let fleet = case.fleet();
    let mut simulation = case.simulation(&fleet);
    let period = simulation.run(30.0, |_, _| {
        answered(case.millis() * factor(&|| fleet.env.fraction()))
    });
    let [least, most] = period.extremes();
    vec![
        ("least share", least),
        ("most share", most),
        ("longest gap", period.longest_gap(case.endpoints)),
    ]
}

/// Log-normal, with a median of 1.
pub(crate) fn log_normal(sigma: f64) -> impl Fn(&dyn Fn() -> f64) -> f64 {
    move |random| {
        // Box and Muller's.
        let radius = (-2.0 * (1.0 - random()).ln()).sqrt();
        (sigma * radius * (std::f64::consts::TAU * random()).cos()).exp()
    }
}

/// Some endpoints are slower all the time.
pub(crate) fn slower(case: Case, times: f64) -> Outcome {
    let (fleet, befallen) = (case.fleet(), case.befallen());
    let mut simulation = case.simulation(&fleet);
    let mut serve =
        |at: usize, _| answered(case.millis() * if at < befallen { times } else { 1.0 });
    simulation.run(10.0, &mut serve);
    let period = simulation.run(30.0, serve);
    vec![("share", period.share(befallen))]
}

/// Some endpoints are ten times as slow for 30 s, and as fast as ever again.
pub(crate) fn slow_for_a_while(case: Case) -> Outcome {
    bad_for_a_while(case, |at| {
        answered(case.millis() * if at < case.befallen() { 10.0 } else { 1.0 })
    })
}

/// Some endpoints fail at once for 30 s, and are well again. Nobody ejects them.
pub(crate) fn failing_for_a_while(case: Case) -> Outcome {
    bad_for_a_while(case, |at| fails_or_answers(case, at))
}

fn bad_for_a_while(case: Case, bad: impl Fn(usize) -> Act) -> Outcome {
    let (fleet, befallen) = (case.fleet(), case.befallen());
    let mut simulation = case.simulation(&fleet);
    let usual = |_, _| answered(case.millis());
    simulation.run(5.0, usual);
    simulation.run(5.0, |at, _| bad(at));
    let period = simulation.run(25.0, |at, _| bad(at));
    let failures: u32 = period.failures.iter().sum();
    // A few seconds together, as there have to be calls to tell a share.
    let back = (1..=15).find(|_| simulation.run(WINDOW, usual).share(befallen) > 0.5);
    let back = back.map_or(f64::INFINITY, |windows| WINDOW * f64::from(windows));
    vec![
        ("share meanwhile", period.share(befallen)),
        (
            "failures per second",
            f64::from(failures) / 25.0 / befallen as f64,
        ),
        ("seconds until half of its share", back),
    ]
}

/// How many seconds of calls tell a share.
pub(crate) const WINDOW: f64 = 3.0;

/// The sole endpoint in the zone of the caller is new.
pub(crate) fn sole_in_zone(case: Case) -> Outcome {
    let fleet = case.fleet();
    let balancing = Balancing {
        zone: Some("a".into()),
        ..case.policy.balancing()
    };
    let balancer = fleet.balancer(&balancing, 1);
    let mut simulation = Simulation::new(&fleet, balancer, case.callers, case.millis());
    let mut part = |seconds| {
        let period = simulation.run(seconds, |_, _| answered(case.millis()));
        period.share(1) / case.endpoints as f64
    };
    fleet.nodes[0].warm_up_from(fleet.began);
    let first = part(1.0);
    vec![
        ("part, 0 to 1 s", first),
        ("part, 1 to 10 s", part(9.0)),
        ("part, 25 to 30 s", {
            part(15.0);
            part(5.0)
        }),
    ]
}
