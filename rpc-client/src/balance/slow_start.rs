use std::time::Duration;

/// How an endpoint that is new, or back, comes to its share of the calls: Envoy's slow start.
///
/// During the window its weight is multiplied by the part of the window that has passed, to the power of
/// `1 / aggression`, and by `least` at the least. Where all endpoints are new, none is held back.
///
/// ```
/// use std::time::Duration;
///
/// use doge_rpc_client::balance::SlowStart;
///
/// let slow_start = SlowStart { window: Duration::from_secs(60), ..SlowStart::default() };
/// assert_eq!(slow_start.least, 0.1);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SlowStart {
    /// How long it takes. 30 s.
    pub window: Duration,
    /// The part of its weight that an endpoint has at first, from 0.01 to 1. 0.1.
    pub least: f64,
    /// The way between: 1 is a straight line, more is faster at first, less is slower. 1.
    pub aggression: f64,
}

impl Default for SlowStart {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(30),
            least: 0.1,
            aggression: 1.0,
        }
    }
}

/// Slow start as it is computed with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ramp {
    /// Milliseconds; 0 for no slow start.
    window: u64,
    least: f32,
    exponent: f32,
}

impl Ramp {
    pub(super) fn new(slow_start: Option<&SlowStart>) -> Self {
        let slow_start = slow_start.cloned().unwrap_or(SlowStart {
            window: Duration::ZERO,
            ..SlowStart::default()
        });
        let aggression = slow_start.aggression as f32;
        let exponent = if aggression > 0.0 {
            aggression.recip()
        } else {
            1.0
        };
        let least = match slow_start.least as f32 {
            least if least.is_nan() => 0.1,
            least => least.clamp(0.01, 1.0),
        };
        Self {
            window: u64::try_from(slow_start.window.as_millis()).unwrap_or(u64::MAX),
            least,
            exponent,
        }
    }

    /// The part of its weight that an endpoint has at this age in milliseconds.
    #[inline]
    pub(super) fn part(&self, age: u64) -> f32 {
        if age >= self.window {
            1.0
        } else {
            self.part_within(age)
        }
    }

    fn part_within(&self, age: u64) -> f32 {
        // Envoy counts the first second as a whole.
        let passed = age.max(1000) as f32 / self.window as f32;
        let bent = if self.exponent == 1.0 {
            passed
        } else {
            passed.powf(self.exponent)
        };
        bent.max(self.least).min(1.0)
    }

    /// How long a share that changes with age may be used, in milliseconds; `None` when this age is past all change.
    pub(super) fn step(&self, age: u64) -> Option<u64> {
        (age < self.window).then(|| (self.window / 100).clamp(100, 1000))
    }
}
