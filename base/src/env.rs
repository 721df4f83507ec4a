use std::{
    sync::{
        Arc, OnceLock,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Release},
        },
    },
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

/// Where clients, servers and registries take the time and their random numbers from.
///
/// [`Env::system`] is the default. [`Env::seeded`] makes a run repeatable: all who share the handle draw from one
/// sequence of numbers, and the date is computed from tokio's clock. With that clock
/// [paused](https://docs.rs/tokio/latest/tokio/time/fn.pause.html), on a runtime of one thread, two runs of one seed do
/// the same in the same order.
///
/// Timers are tokio's, so [`now`](Self::now) is tokio's clock in both environments: what waits and what measures agree.
///
/// Cheap to clone; clones of a seeded environment draw from the same sequence.
///
/// ```
/// use doge_base::Env;
///
/// let (one, other) = (Env::seeded(7), Env::seeded(7));
/// assert_eq!(one.fraction(), other.fraction());
/// assert_eq!(one.uuid(), other.uuid());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Env {
    seeded: Option<Arc<Seeded>>,
}

#[derive(Debug)]
struct Seeded {
    rng: Mutex<fastrand::Rng>,
    began: Instant,
    revisions: AtomicU64,
}

/// The date at which a seeded environment begins: 2026-01-01 00:00:00 UTC, in seconds since 1970.
const BEGINNING: Duration = Duration::from_secs(1_767_225_600);

impl Env {
    /// The date of the system, and random numbers that nobody can repeat.
    #[must_use]
    pub const fn system() -> Self {
        Self { seeded: None }
    }

    /// The random numbers of this seed, and a date that begins at 2026-01-01 and runs with tokio's clock.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let seeded = Seeded {
            rng: Mutex::new(fastrand::Rng::with_seed(seed)),
            began: Instant::now(),
            revisions: AtomicU64::new(0),
        };
        Self {
            seeded: Some(Arc::new(seeded)),
        }
    }

    /// The time by tokio's clock, which a test can pause.
    #[must_use]
    #[inline]
    pub fn now(&self) -> Instant {
        Instant::now()
    }

    /// How long the environment has run by `now`: since it was seeded, or since the process first asked.
    #[must_use]
    #[inline]
    pub fn age(&self, now: Instant) -> Duration {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        let start = match &self.seeded {
            Some(seeded) => seeded.began,
            None => *FIRST.get_or_init(|| now),
        };
        now.saturating_duration_since(start)
    }

    /// How often [`revise`](Self::revise) was called by those who share the environment. What was computed from something
    /// that others change asks here whether it still holds, and need not look at all of it.
    #[must_use]
    #[inline]
    pub fn revision(&self) -> u64 {
        self.revisions().load(Acquire)
    }

    /// Says that something has changed which others compute from.
    pub fn revise(&self) {
        self.revisions().fetch_add(1, Release);
    }

    /// The date, for what other processes compare with theirs. Never for measuring: it can jump.
    #[must_use]
    pub fn date(&self) -> SystemTime {
        match &self.seeded {
            None => SystemTime::now(),
            Some(seeded) => SystemTime::UNIX_EPOCH + BEGINNING + seeded.began.elapsed(),
        }
    }

    /// A random number from 0 up to and without `end`; 0 when `end` is 0.
    #[must_use]
    #[inline]
    pub fn below(&self, end: u64) -> u64 {
        match end {
            0 => 0,
            end => self.draw(fastrand::u64, fastrand::Rng::u64, ..end),
        }
    }

    /// A random place in a list of this length; 0 when the length is 0.
    #[must_use]
    #[inline]
    pub fn index(&self, length: usize) -> usize {
        match length {
            0 => 0,
            length => self.draw(fastrand::usize, fastrand::Rng::usize, ..length),
        }
    }

    /// Any random number.
    #[must_use]
    #[inline]
    pub fn number(&self) -> u64 {
        self.draw(fastrand::u64, fastrand::Rng::u64, ..)
    }

    /// A random number from 0 up to and without 1.
    #[must_use]
    #[inline]
    pub fn fraction(&self) -> f64 {
        match &self.seeded {
            None => fastrand::f64(),
            Some(seeded) => seeded.rng.lock().f64(),
        }
    }

    /// Like [`fraction`](Self::fraction), with the 24 digits of an `f32`.
    #[must_use]
    #[inline]
    pub fn fraction_f32(&self) -> f32 {
        match &self.seeded {
            None => fastrand::f32(),
            Some(seeded) => seeded.rng.lock().f32(),
        }
    }

    /// A duration that differs from `usual` by up to this part of it, either way: `jittered(10 s, 0.2)` is from 8 to 12 s.
    /// Those who would act at once act spread over that time.
    #[must_use]
    pub fn jittered(&self, usual: Duration, part: f64) -> Duration {
        usual.mul_f64((1.0 + part * (2.0 * self.fraction() - 1.0)).max(0.0))
    }

    /// A random UUID, version 4.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        match &self.seeded {
            None => Uuid::new_v4(),
            Some(seeded) => {
                let random = seeded.rng.lock().u128(..);
                uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid()
            }
        }
    }

    #[inline]
    fn revisions(&self) -> &AtomicU64 {
        static OF_SYSTEM: AtomicU64 = AtomicU64::new(0);
        match &self.seeded {
            None => &OF_SYSTEM,
            Some(seeded) => &seeded.revisions,
        }
    }

    /// A draw from the thread's own generator, or from that of the seed.
    #[inline]
    fn draw<R, N>(
        &self,
        system: impl FnOnce(R) -> N,
        seeded: impl FnOnce(&mut fastrand::Rng, R) -> N,
        range: R,
    ) -> N {
        match &self.seeded {
            None => system(range),
            Some(it) => seeded(&mut it.rng.lock(), range),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{BEGINNING, Env};

    fn some_of_all(env: &Env) -> String {
        let draws = (1..20).map(|end| {
            let (below, index, number) = (env.below(end), env.index(9), env.number());
            let fractions = (env.fraction(), env.fraction_f32());
            format!("{below} {index} {number} {fractions:?} {}", env.uuid())
        });
        draws.collect()
    }

    #[test]
    fn one_seed_is_one_sequence_and_the_system_is_none() {
        assert_eq!(
            some_of_all(&Env::seeded(1)),
            some_of_all(&Env::seeded(1).clone())
        );
        assert_ne!(some_of_all(&Env::seeded(1)), some_of_all(&Env::seeded(2)));
        assert_ne!(some_of_all(&Env::system()), some_of_all(&Env::system()));
        assert_eq!(Env::seeded(3).uuid().get_version_num(), 4);
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        for env in [Env::system(), Env::seeded(1)] {
            for end in 0..100 {
                assert!(env.below(end) < end.max(1));
                assert!(env.index(end as usize) < (end as usize).max(1));
            }
            let second = Duration::from_secs(1);
            for _ in 0..1000 {
                assert!((0.0..1.0).contains(&env.fraction()));
                let jittered = env.jittered(second, 0.2);
                assert!(jittered >= second * 4 / 5 && jittered <= second * 6 / 5);
                assert!(env.jittered(second, 2.0) <= second * 3);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_date_of_a_seed_runs_with_the_clock_of_tokio() {
        let env = Env::seeded(1);
        let since_1970 = |date: SystemTime| date.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(since_1970(env.date()), BEGINNING);
        let before = env.now();
        assert_eq!(env.age(before), Duration::ZERO);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(since_1970(env.date()).as_secs(), BEGINNING.as_secs() + 60);
        assert!(env.now() - before >= Duration::from_secs(60));
        assert_eq!(env.age(env.now()), env.now() - before);
    }
}
