use std::time::Duration;

use bytes::Bytes;
use doge_rpc_core::schema::HedgeDelay;

/// What a call does about endpoints that fail or are slow.
///
/// Whatever is chosen: a call goes a second time to where it may have run only when its method is declared
/// idempotent, an error of the application is an answer, and one deadline covers all attempts.
///
/// ```
/// use std::time::Duration;
///
/// use doge_rpc_client::{BackupRequest, Failover, HedgeDelay, Strategy};
///
/// let patient = Strategy::Failover(Failover { retries: 4, ..Failover::default() });
/// let quick = Strategy::BackupRequest(BackupRequest {
///     delay: HedgeDelay::After(Duration::from_millis(20)),
///     ..BackupRequest::default()
/// });
/// assert_eq!(Strategy::default(), Strategy::Failover(Failover::default()));
/// # let _ = (patient, quick);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Strategy {
    /// Goes on to other endpoints, as far as that is safe. The default.
    Failover(Failover),
    /// One attempt, which has all the time of the call, and what comes of it.
    Failfast,
    /// Failover, and a second attempt elsewhere when the first one takes long.
    BackupRequest(BackupRequest),
    /// One attempt, and a fixed answer when the call fails: at the attempt, for want of an instance, or at a limit of
    /// this client.
    Failsafe(Failsafe),
    /// One attempt at every endpoint, 64 at a time. The answer is that of the first endpoint, or else the first
    /// failure in the order of the endpoints; an error of the application counts as one. Idempotent or not, each
    /// endpoint gets the call once.
    Broadcast,
}

impl Default for Strategy {
    fn default() -> Self {
        Self::Failover(Failover::default())
    }
}

/// How a call goes on to other endpoints.
///
/// An endpoint that cannot be reached is passed over, which is free and costs no retry; of those that are known to be
/// out of reach before they are asked, a call tries three at most. One that has no such method is passed over as well:
/// while a new version is rolled out, others have it. One that refuses for overload
/// is left at once for another, and not asked again by this call. When an attempt at an idempotent method broke off
/// and may have run, the next one comes after a pause; it goes to an endpoint that was not tried yet, or, where there
/// is none, to one that was. The last two take from the [`RetryBudget`] and are marked on the wire, so that nobody
/// further down retries a retry.
///
/// ```
/// use std::time::Duration;
///
/// use doge_rpc_client::Failover;
///
/// let failover = Failover { attempt_timeout: Some(Duration::from_millis(200)), ..Failover::default() };
/// assert_eq!(failover.retries, 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failover {
    /// Attempts after the first. 2.
    pub retries: u32,
    /// The longest that the pause before the first retry can be; it doubles with each further one. How long a pause
    /// really is, chance decides, from nothing up to this ("full jitter"). 25 ms.
    pub first_pause: Duration,
    /// The longest that any pause can be. 250 ms.
    pub longest_pause: Duration,
    /// How long an attempt at an idempotent method may take before another takes its place. One that no other can
    /// follow (the last, or with an empty budget) goes on until the deadline. None.
    pub attempt_timeout: Option<Duration>,
    /// Whether an `Unavailable` that the instance only [passed on](doge_rpc_core::Status::is_passed_on) from a service
    /// further down is retried like its own. False: the other instances have the same service behind them, and whoever
    /// called that service has retried already.
    pub retry_passed_on: bool,
}

impl Default for Failover {
    fn default() -> Self {
        Self {
            retries: 2,
            first_pause: Duration::from_millis(25),
            longest_pause: Duration::from_millis(250),
            attempt_timeout: None,
            retry_passed_on: false,
        }
    }
}

/// A second attempt elsewhere while the first is still out ("hedging"); whichever answers first wins, and the other
/// one is cancelled. Only for idempotent methods: calls of others are as [`failover`](Self::failover) has it.
///
/// The second attempt goes only where a first one would go: to an endpoint that is connected and in rotation, did not ask
/// to be left alone, and has a weight.
///
/// A failure of one attempt leaves the call to the other, unless it says what is the matter with the call wherever it
/// goes: `InvalidArgument`, `NotFound`, `AlreadyExists`, `PermissionDenied`, `Unauthenticated`, `FailedPrecondition`,
/// `Aborted`, `OutOfRange`, or the `Unimplemented` of a handler. That ends both at once, which gRPC (A6) has for every
/// status that is not retried. When both have failed and nothing may follow, the more telling status is that of the call:
/// what a handler says of itself (`Internal`, `Unknown`, `DataLoss`, a limit of its own) before `DeadlineExceeded`, that
/// before an endpoint that turned the call away or was lost, and that before one that could not be reached; of equals the
/// earlier.
///
/// ```
/// use doge_rpc_client::{BackupRequest, HedgeDelay};
///
/// let hedged = BackupRequest { delay: HedgeDelay::Percentile(99.0), ratio: 0.01, ..BackupRequest::default() };
/// assert_eq!(hedged.burst, 10);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BackupRequest {
    /// When the second attempt begins, at the earliest 1 ms after the first. At the 95th percentile.
    pub delay: HedgeDelay,
    /// The delay while too few calls have been seen to know a percentile. 100 ms.
    pub initial_delay: Duration,
    /// The part of all calls that may be made twice, from 0 to 1. A true ratio: each call saves up this part of a
    /// hedge, and without a whole one saved, a call waits on for its first attempt. 0.05.
    pub ratio: f64,
    /// The most hedges that can be saved up. 10.
    pub burst: u32,
    /// What a call does about failures. Its `attempt_timeout` is for each of the two that race as well.
    pub failover: Failover,
}

impl Default for BackupRequest {
    fn default() -> Self {
        Self {
            delay: HedgeDelay::Percentile(95.0),
            initial_delay: Duration::from_millis(100),
            ratio: 0.05,
            burst: 10,
            failover: Failover::default(),
        }
    }
}

/// An answer for calls that fail. The failure is logged.
///
/// ```
/// use bytes::Bytes;
/// use doge_rpc_client::{Failsafe, Strategy};
///
/// // MessagePack for `[]`.
/// let nobody = Strategy::Failsafe(Failsafe { answer: Bytes::from_static(b"\x90") });
/// # let _ = nobody;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failsafe {
    /// The result, in MessagePack. `nil`, which is read as `()` or `None`.
    pub answer: Bytes,
}

impl Default for Failsafe {
    fn default() -> Self {
        Self {
            answer: Bytes::from_static(b"\xc0"),
        }
    }
}

/// What retries may cost on top of the calls to one target, so that they never make an overload worse. As Finagle
/// has it, in the mechanism and in the defaults.
///
/// ```
/// use doge_rpc_client::RetryBudget;
///
/// let budget = RetryBudget { ratio: 0.1, ..RetryBudget::default() };
/// assert_eq!(budget.min_per_second, 10);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RetryBudget {
    /// Retries that each call allows, from 0 to 1,000. 0.2.
    pub ratio: f64,
    /// Retries per second that are allowed whatever the number of calls. 10.
    pub min_per_second: u32,
    /// How long a call counts. 10 s.
    pub ttl: Duration,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            ratio: 0.2,
            min_per_second: 10,
            ttl: Duration::from_secs(10),
        }
    }
}
