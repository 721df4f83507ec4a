use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use doge_base::Env;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{
    InFlight,
    clock::millis,
    in_flight::Sample,
    latency::{LastLatency, Latency},
    penalty::Penalty,
    slow_start::Ramp,
};

/// The longest pushback that is obeyed, 300 s as in Linkerd: an endpoint that asks for more gets calls again after
/// 300 to 375 s, as up to a quarter is added by chance, lest all clients come back at once.
///
/// Without a bound a server that is broken or hostile, or whose configuration is in the wrong unit, would take itself
/// out of every client's rotation for up to 49 days, and no restart of the server would help.
///
/// ```
/// use doge_rpc_client::balance::MAX_PUSHBACK;
///
/// assert_eq!(MAX_PUSHBACK.as_secs(), 300);
/// ```
pub const MAX_PUSHBACK: Duration = Duration::from_secs(300);

/// The latency of an endpoint of which nothing is known, where nothing is known of any other either: Linkerd's.
pub(super) const UNKNOWN: Duration = Duration::from_millis(30);

/// What a balancer knows of one endpoint: calls in flight, latency, failures, weight, age. It outlives the balancer, which
/// is made anew when the endpoints change.
///
/// What a choice reads is relaxed atomics within one cache line: counting is exact, and a decision may be a moment old.
///
/// ```
/// use std::time::Duration;
///
/// use doge_base::Env;
/// use doge_rpc_client::balance::{EndpointLoad, Sample};
/// use tokio::time::Instant;
///
/// let now = Instant::now();
/// let node = EndpointLoad::new("tcp://127.0.0.1:4399", 100, now, &Env::system());
/// let call = node.begin(now);
/// assert_eq!(node.in_flight(), 1);
///
/// let now = now + Duration::from_millis(5);
/// call.end(now, Sample::Answered);
/// assert_eq!(node.in_flight(), 0);
/// assert_eq!(node.latency(now), Some(Duration::from_millis(5)));
/// ```
#[derive(Debug)]
#[repr(C, align(64))]
pub struct EndpointLoad {
    in_flight: AtomicUsize,
    latency: Latency,
    penalty: Penalty,
    /// Until when it is left alone, in milliseconds.
    rest: AtomicU64,
    /// Since when it is there, in milliseconds.
    since: AtomicU64,
    weight: AtomicU32,
    /// Calls in flight on all the endpoints that share a bounded load.
    total: OnceLock<Arc<AtomicUsize>>,
    address: Box<str>,
    env: Env,
    /// The usual latency of the endpoints of its balancer, as the bits of an `f32`; locked for a first sample only.
    usual: Mutex<Option<Arc<AtomicU32>>>,
}

impl EndpointLoad {
    /// An endpoint that is there from now on. The weight is relative to that of the others; 0 means no calls as long
    /// as another endpoint can take them. `env` says by how much longer than asked an overloaded endpoint is left alone.
    pub fn new(address: &str, weight: u32, now: Instant, env: &Env) -> Self {
        Self {
            in_flight: AtomicUsize::new(0),
            latency: Latency::default(),
            penalty: Penalty::default(),
            rest: AtomicU64::new(0),
            since: AtomicU64::new(millis(env, now)),
            weight: AtomicU32::new(weight),
            total: OnceLock::new(),
            address: address.into(),
            env: env.clone(),
            usual: Mutex::new(None),
        }
    }

    /// The address, which is what consistent hashing places it by.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The weight.
    pub fn weight(&self) -> u32 {
        self.weight.load(Relaxed)
    }

    /// Changes the weight. Balancers take it up by themselves, save for consistent hashing, whose ring is made with
    /// the balancer.
    pub fn set_weight(&self, weight: u32) {
        if self.weight.swap(weight, Relaxed) != weight {
            self.env.revise();
        }
    }

    /// Begins slow start anew, for an endpoint that is back; its latency and its failures are those of before no longer.
    pub fn warm_up_from(&self, now: Instant) {
        self.latency.forget();
        self.penalty.forget();
        self.since.store(millis(&self.env, now), Relaxed);
        self.env.revise();
    }

    /// Counts a call from here on.
    pub fn begin(&self, now: Instant) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Relaxed);
        let total = self.total.get().map(|total| &**total);
        if let Some(total) = total {
            total.fetch_add(1, Relaxed);
        }
        InFlight::new(self, total, now)
    }

    /// Calls in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Relaxed)
    }

    /// The latency: its EWMA over 5 s, which one longer sample raises at once, up to four times; decayed for the time
    /// without a call. `None` before the first answer.
    pub fn latency(&self, now: Instant) -> Option<Duration> {
        let seconds = self.latency.read(millis(&self.env, now))?;
        // A duration has nanoseconds, and the seconds have 24 bits: as many digits as there are.
        Some(Duration::from_secs_f32(seconds))
    }

    /// How many changes of weight or age there have been, of any endpoint of its environment. They are rare, so that one count
    /// for all does not matter.
    #[inline]
    pub(super) fn changes(&self) -> u64 {
        self.env.revision()
    }

    /// Takes in how a call ended.
    pub(super) fn ended(&self, now: Instant, took: Duration, sample: Sample) {
        let moment = millis(&self.env, now);
        match sample {
            Sample::Answered => {
                self.latency
                    .observe(moment, took, || self.usual_elsewhere());
            }
            Sample::Failed => {
                self.penalty.fail(moment);
                self.abandoned(now, took);
            }
            Sample::Overloaded { pushback } => self.leave_alone(moment, pushback),
        }
    }

    /// Takes in that a call was given up, or failed, after this time.
    pub(super) fn abandoned(&self, now: Instant, elapsed: Duration) {
        let usual = || self.usual_elsewhere();
        self.latency
            .exceed(millis(&self.env, now), elapsed, usual, UNKNOWN);
    }

    /// Takes in where the usual latency of its balancer stands.
    pub(super) fn compare_with(&self, usual: &Arc<AtomicU32>) {
        *self.usual.lock() = Some(Arc::clone(usual));
    }

    /// Takes a call out of the count.
    pub(super) fn uncount(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
    }

    /// Whether it asked to be left alone.
    pub(super) fn rests(&self, now: u64) -> bool {
        now < self.rest.load(Relaxed)
    }

    /// When it came, or came back, in milliseconds.
    pub(super) fn since(&self) -> u64 {
        self.since.load(Relaxed)
    }

    /// Milliseconds since it came, or came back.
    pub(super) fn age(&self, now: u64) -> u64 {
        now.saturating_sub(self.since())
    }

    /// The part of its weight that it has while it warms up.
    #[inline]
    pub(super) fn part(&self, now: u64, ramp: Ramp) -> f32 {
        ramp.part(self.age(now))
    }

    /// The weight, less while it warms up. An endpoint of weight 0 is only asked when there is no other.
    pub(super) fn effective_weight(&self, now: u64, ramp: Ramp) -> f32 {
        self.weight().max(1) as f32 * self.part(now, ramp)
    }

    /// The last known latency; `None` before the first answer.
    pub(super) fn last_latency(&self, now: u64) -> Option<LastLatency> {
        self.latency.last(now)
    }

    /// The factor by which failures make a wait look longer.
    #[inline]
    pub(super) fn penalty(&self, now: u64) -> f32 {
        self.penalty.read(now)
    }

    /// The usual latency of the endpoints of its balancer, as far as it chooses by latency.
    fn usual_elsewhere(&self) -> Option<f32> {
        let usual = self.usual.lock();
        let seconds = f32::from_bits(usual.as_ref()?.load(Relaxed));
        (seconds > 0.0).then_some(seconds)
    }

    /// The count that this endpoint's calls go into beside its own.
    pub(super) fn total(&self) -> Option<&Arc<AtomicUsize>> {
        self.total.get()
    }

    /// Counts this endpoint's calls here too, from the next one on, unless they are counted somewhere already.
    pub(super) fn count_into(&self, total: &Arc<AtomicUsize>) {
        self.total.get_or_init(|| Arc::clone(total));
    }

    /// Leaves it alone for as long as it asked, up to [`MAX_PUSHBACK`], and for one usual call at least; up to a
    /// quarter longer, so that clients do not come back all at once.
    fn leave_alone(&self, now: u64, pushback: Duration) {
        let usual = self.latency.read(now).unwrap_or(UNKNOWN.as_secs_f32());
        let rest = pushback.min(MAX_PUSHBACK).as_secs_f32().max(usual);
        let rest = rest * (1.0 + 0.25 * self.env.fraction_f32());
        let until = now + (rest * 1000.0).ceil() as u64;
        self.rest.fetch_max(until, Relaxed);
    }
}
