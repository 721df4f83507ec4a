use std::{ops::RangeInclusive, time::Duration};

use doge_base::Env;

/// What a link does to what is sent over it.
///
/// ```
/// use std::time::Duration;
///
/// use doge_testing::Conditions;
///
/// let slow = Conditions {
///     delay: Duration::from_millis(40)..=Duration::from_millis(200),
///     ..Conditions::default()
/// };
/// assert!(slow.cuts_anywhere);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// How long bytes are on their way. 0.1 to 2 ms. Bytes never pass each other.
    pub delay: RangeInclusive<Duration>,
    /// Whether a read and a write may end at any byte, as those of a socket may. Yes.
    pub cuts_anywhere: bool,
    /// Bytes that a connection carries in one direction before it is reset. No limit.
    pub reset_after: Option<u64>,
    /// Bytes that may be on their way in one direction before a writer has to wait. 64 KiB.
    pub window: usize,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            delay: Duration::from_micros(100)..=Duration::from_millis(2),
            cuts_anywhere: true,
            reset_after: None,
            window: 64 * 1024,
        }
    }
}

impl Conditions {
    pub(super) fn draw_delay(&self, env: &Env) -> Duration {
        let (least, most) = (*self.delay.start(), *self.delay.end());
        least + most.saturating_sub(least).mul_f64(env.fraction())
    }

    /// How many of this many bytes are taken at once; at least 1.
    pub(super) fn draw_length(&self, bytes: usize, env: &Env) -> usize {
        match self.cuts_anywhere {
            // Mostly whole, as on a real network: otherwise nothing would get anywhere.
            true if env.below(4) == 0 => 1 + env.index(bytes),
            _ => bytes,
        }
    }
}
