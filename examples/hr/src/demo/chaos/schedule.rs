use std::{fmt, time::Duration};

use fastrand::Rng;

/// What happens to a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Blow {
    /// SIGKILL, and another process some time later.
    Kill,
    /// SIGSTOP, and SIGCONT some time later: its connections stay open and nothing answers.
    Pause,
    /// SIGTERM, and another process once it has ended.
    Restart,
    /// Its database is not there, and is there again some time later: the process runs, and every statement fails.
    Withhold,
}

impl Blow {
    pub(super) const ALL: [Self; 4] = [Self::Kill, Self::Pause, Self::Restart, Self::Withhold];

    /// What can happen to a replica that has no database.
    pub(super) fn without_database() -> Vec<Self> {
        Self::ALL
            .into_iter()
            .filter(|blow| *blow != Self::Withhold)
            .collect()
    }
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Strike {
    /// How long nothing happens before.
    pub(super) rest: Duration,
    /// Which replica.
    pub(super) replica: usize,
    pub(super) blow: Blow,
    /// How long it is away, apart from the time that it needs to end and to start.
    pub(super) away: Duration,
}

/// What happens to the replicas of one service, one after the other and without end. The seed decides.
#[derive(Debug)]
pub(super) struct Schedule {
    random: Rng,
    replicas: usize,
    blows: Vec<Blow>,
    /// Drawn from until it is empty, so that each kind has its turn.
    bag: Vec<Blow>,
}

impl Schedule {
    pub(super) fn new(seed: u64, replicas: usize, blows: Vec<Blow>) -> Self {
        Self {
            random: Rng::with_seed(seed),
            replicas,
            blows,
            bag: Vec::new(),
        }
    }

    fn blow(&mut self) -> Blow {
        if self.bag.is_empty() {
            self.bag.extend(&self.blows);
        }
        let drawn = self.random.usize(..self.bag.len());
        self.bag.swap_remove(drawn)
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.random.u64(from..=to))
    }
}

impl Iterator for Schedule {
    type Item = Strike;

    fn next(&mut self) -> Option<Strike> {
        let blow = self.blow();
        Some(Strike {
            rest: self.millis(300, 1200),
            replica: self.random.usize(..self.replicas),
            blow,
            away: match blow {
                Blow::Kill => self.millis(200, 1500),
                // Shorter than what a writer waits for one that was paused while it held the database.
                Blow::Pause => self.millis(700, 2000),
                Blow::Restart => Duration::ZERO,
                Blow::Withhold => self.millis(700, 2000),
            },
        })
    }
}

impl fmt::Display for Blow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "killed",
            Self::Pause => "paused",
            Self::Restart => "restarted",
            Self::Withhold => "without data",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Blow, Schedule, Strike};

    fn strikes(seed: u64) -> Vec<Strike> {
        let blows = Blow::ALL.to_vec();
        Schedule::new(seed, 3, blows).take(40).collect()
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(strikes(7), strikes(7));
        assert_ne!(strikes(7), strikes(8));
    }

    #[test]
    fn each_kind_has_its_turn_and_no_replica_is_spared() {
        for seed in 0..100 {
            let strikes = strikes(seed);
            for round in strikes.chunks(Blow::ALL.len()) {
                let blows: HashSet<_> = round.iter().map(|strike| strike.blow).collect();
                assert_eq!(blows.len(), Blow::ALL.len(), "{round:?}");
            }
            let hit: HashSet<_> = strikes.iter().map(|strike| strike.replica).collect();
            assert_eq!(hit, HashSet::from([0, 1, 2]));
        }
    }

    #[test]
    fn what_has_no_database_loses_none() {
        let strikes = Schedule::new(7, 3, Blow::without_database()).take(30);
        for strike in strikes {
            assert_ne!(strike.blow, Blow::Withhold);
        }
    }
}
