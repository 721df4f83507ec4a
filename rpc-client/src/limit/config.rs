use std::{fmt, num::NonZeroU32, time::Duration};

use governor::Quota;

/// How many calls a client lets out to a service or to one method of it: per time, and at once. No limits unless set.
///
/// ```
/// use std::time::Duration;
///
/// use doge_rpc_client::{CallLimits, Wait};
///
/// let limits = CallLimits::new()
///     .rate(100, Duration::from_secs(1))
///     .burst(20)
///     .concurrency(64)
///     .wait(Wait::UpTo { callers: 1_000, time: Duration::from_millis(50) });
/// assert!(limits.validate().is_ok());
///
/// let nothing = CallLimits::new().concurrency(0);
/// assert_eq!(
///     nothing.validate().unwrap_err().to_string(),
///     "a concurrency of 0 lets nothing through",
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallLimits {
    pub(super) rate: Option<(u32, Duration)>,
    pub(super) burst: Option<u32>,
    pub(super) concurrency: Option<usize>,
    pub(super) wait: Wait,
}

/// What a call does that meets a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait {
    /// It is refused at once. The default.
    #[default]
    Never,
    /// It waits in the order of arrival, and is refused when it cannot be its turn in time.
    UpTo {
        /// The most calls that wait at a time; one more is refused at once.
        callers: usize,
        /// The longest that one waits. Its deadline may make that shorter.
        time: Duration,
    },
}

impl CallLimits {
    /// No limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// So many calls per so much time, evenly: a token bucket (GCRA, of crate `governor`).
    ///
    /// Timers tick in milliseconds: at more than a thousand calls per second, calls that wait get the whole rate only with
    /// a burst of at least those of a few milliseconds.
    #[must_use]
    pub fn rate(mut self, calls: u32, per: Duration) -> Self {
        self.rate = Some((calls, per));
        self
    }

    /// How many calls of the rate may come at once after a quiet time. As many as come in the time of the rate, unless
    /// set.
    #[must_use]
    pub fn burst(mut self, calls: u32) -> Self {
        self.burst = Some(calls);
        self
    }

    /// So many calls in flight at once.
    #[must_use]
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = Some(calls);
        self
    }

    /// What a call does that meets a limit. It is refused at once, unless set.
    #[must_use]
    pub fn wait(mut self, wait: Wait) -> Self {
        self.wait = wait;
        self
    }

    /// Whether these limits let anything through and can be kept. Checked too when a cluster is built with them.
    ///
    /// # Errors
    ///
    /// [`InvalidLimits`], which says what is wrong with them.
    pub fn validate(&self) -> Result<(), InvalidLimits> {
        self.valid_concurrency()?;
        self.valid_rate()?;
        Ok(())
    }

    pub(super) fn valid_concurrency(&self) -> Result<Option<usize>, InvalidLimits> {
        match self.concurrency {
            Some(0) => Err(InvalidLimits(
                "a concurrency of 0 lets nothing through".into(),
            )),
            concurrency => Ok(concurrency),
        }
    }

    pub(super) fn valid_rate(&self) -> Result<Option<ValidRate>, InvalidLimits> {
        let Some((calls, per)) = self.rate else {
            return match self.burst {
                Some(burst) => Err(InvalidLimits(format!(
                    "a burst of {burst} is the burst of a rate, and there is none"
                ))),
                None => Ok(None),
            };
        };
        let burst = self.burst.unwrap_or(calls);
        let invalid = |why| InvalidLimits(format!("a rate of {calls} per {per:?} {why}"));
        let nothing = || invalid("lets nothing through");
        let period = per.checked_div(calls).ok_or_else(nothing)?;
        let quota = Quota::with_period(period)
            .ok_or_else(|| invalid("is more than one call per nanosecond"))?;
        let burst = NonZeroU32::new(burst)
            .ok_or_else(|| invalid("with a burst of 0 lets nothing through"))?;
        if period.saturating_mul(burst.get()) > LONGEST_REFILL {
            return Err(invalid("takes more than a year to refill its burst"));
        }
        Ok(Some(ValidRate {
            quota: quota.allow_burst(burst),
            calls,
            per,
        }))
    }
}

/// A rate that lets calls through.
#[derive(Debug)]
pub(super) struct ValidRate {
    pub(super) quota: Quota,
    /// As it was set.
    pub(super) calls: u32,
    pub(super) per: Duration,
}

/// What takes longer is a mistake in a unit, and far longer ones overflow the bucket's clock.
const LONGEST_REFILL: Duration = Duration::from_secs(365 * 24 * 3600);

/// Limits that cannot be kept, or let nothing through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidLimits(pub(super) String);

impl fmt::Display for InvalidLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidLimits {}
