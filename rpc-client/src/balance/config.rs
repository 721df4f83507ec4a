use super::{HashKey, SlowStart};

/// How calls are spread over the endpoints of a service.
///
/// ```
/// use doge_rpc_client::balance::{Balancing, LoadBalancing};
///
/// let balancing = Balancing {
///     policy: LoadBalancing::LeastActive,
///     zone: Some("a".into()),
///     ..Balancing::default()
/// };
/// assert!(balancing.slow_start.is_some());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Balancing {
    /// Which endpoint takes a call. [`LoadBalancing::PeakEwma`].
    pub policy: LoadBalancing,
    /// How an endpoint that is new, or back, comes to its share; `None` for all at once. 30 s.
    pub slow_start: Option<SlowStart>,
    /// Whether endpoints on this machine come before all others, as far as they can carry the calls. No.
    pub prefer_local: bool,
    /// The zone whose endpoints come before those of others, as far as they can carry the calls: they take 1.4 times the
    /// part of their weight that can be used, less slow start (Envoy's overprovisioning factor), and the rest goes to
    /// other zones. None.
    pub zone: Option<String>,
    /// How many endpoints this client uses, at most; see [`subset`](super::subset). All.
    pub subset: Option<usize>,
}

impl Default for Balancing {
    fn default() -> Self {
        Self {
            policy: LoadBalancing::default(),
            slow_start: Some(SlowStart::default()),
            prefer_local: false,
            zone: None,
            subset: None,
        }
    }
}

/// Which endpoint takes a call.
///
/// Whatever the policy: an endpoint that refused for overload is passed over for the time it asked for, as long as there
/// is another, and one of weight 0 takes calls only when no other can.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum LoadBalancing {
    /// By odds of weight × wait^-3, where wait = latency × penalty × (1 + calls in flight over weight). Without load an
    /// endpoint that is ten times as slow gets a call in a thousand, by which it is found out when it is fast again; where
    /// all are alike, shares are the weights.
    ///
    /// - Latency is Finagle's peak EWMA, forgotten with 5 s, of which a slower answer makes four times what was known at
    ///   most, so that a hiccup costs little. What was slow is forgotten down to what is usual elsewhere.
    /// - The penalty is 1, doubled by a failure, once in 100 ms, up to 32, and forgiven with 5 s: an endpoint that fails
    ///   fast gets a call every few seconds.
    /// - An endpoint that was never called counts as fast as is usual elsewhere.
    ///
    /// Latencies and penalties become the lots of endpoints, made anew each 10 ms (1 ms for each 10 endpoints, if that is
    /// more); two are drawn by lot, and calls in flight at this moment decide between them.
    ///
    /// Finagle, Linkerd and tower take the lesser of two waits for certain: while there are few calls, an endpoint with
    /// any lasting disadvantage, a lesser weight or one slow answer, then gets none.
    #[default]
    PeakEwma,
    /// The one with the fewest calls in flight for its weight; a tie goes by weight at random. Up to 16 endpoints all
    /// are compared, of more than that two drawn by weight. One that fails fast has few calls in flight: it is ejection
    /// that keeps calls from it.
    LeastActive,
    /// Each in turn, whatever its weight, from a start that is random.
    RoundRobin,
    /// Each as often as its weight says, evenly in between (smooth weighted round robin).
    Weighted,
    /// At random, as often as its weight says.
    Random,
    /// Calls with the same key go to the same endpoint, as long as that is not overloaded.
    ConsistentHash(ConsistentHash),
}

/// Consistent hashing with bounded loads.
///
/// Each endpoint has points on a ring, in number as its weight; a call goes to the next point after the hash of its key.
/// An endpoint that comes or goes so moves only the keys that are its own. One that has its fill is passed over for the
/// next (Mirrokni, Thorup and Zadimoghaddam, 2016), so that a key that all ask for does not drown it. A call without the
/// key goes as [`LoadBalancing::PeakEwma`] says.
///
/// Hashes are XXH64, so that all clients agree. Slow start does not apply, since it would move keys.
///
/// ```
/// use doge_rpc_client::balance::{ConsistentHash, HashKey, LoadBalancing};
///
/// let by_tenant = ConsistentHash::by(HashKey::Metadata("tenant".into()));
/// assert_eq!(by_tenant.bound, 1.25);
/// let policy = LoadBalancing::ConsistentHash(by_tenant);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ConsistentHash {
    /// What of a call is hashed.
    pub key: HashKey,
    /// Points on the ring for an endpoint of weight 100. 512, which spreads keys to within a tenth; a ring of more than
    /// 262,144 points in all is thinned out to that.
    pub points: u32,
    /// How many times the mean of all an endpoint may have in flight, for its weight, rounded up; from 1 up. So while
    /// there are fewer calls in flight than endpoints, each takes one at a time. 1.25.
    pub bound: f64,
}

impl ConsistentHash {
    /// Hashes this key, with the usual ring.
    pub fn by(key: HashKey) -> Self {
        Self {
            key,
            points: 512,
            bound: 1.25,
        }
    }
}
