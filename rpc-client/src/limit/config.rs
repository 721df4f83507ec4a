use std::{fmt, time::Duration};

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
///     "a concurrency of 0 calls lets nothing through",
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

    /// So many calls per so much time.
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

    /// Whether these limits let anything through. Checked too when a cluster is built with them.
    ///
    /// # Errors
    ///
    /// [`InvalidLimits`], which says what is wrong with them.
    pub fn validate(&self) -> Result<(), InvalidLimits> {
        if self.concurrency == Some(0) {
            return Err(InvalidLimits(
                "a concurrency of 0 calls lets nothing through".into(),
            ));
        }
        Ok(())
    }
}

/// Limits that cannot be kept, or let nothing through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidLimits(pub(super) String);

impl fmt::Display for InvalidLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidLimits {}
