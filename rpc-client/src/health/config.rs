use std::time::Duration;

/// When an endpoint is ejected, which is to be kept out of rotation, and for how long.
///
/// Two things get it ejected: calls that fail in a row, and a share of failures that stands out among the endpoints of
/// its cluster, as gRFC A50 (outlier detection) has it. Failures are `Unavailable`, `DeadlineExceeded`, `Internal`,
/// `Unknown` and `DataLoss`, whether the handler or the framework made them, and the loss of a connection with calls in
/// flight, which counts once. A status that the handler [passed on](doge_rpc_core::Status::is_passed_on) is no failure, and
/// errors of the application, statuses about the call itself and refusals under overload are answers of an endpoint that
/// works.
///
/// ```
/// use std::time::Duration;
///
/// use doge_rpc_client::{HealthConfig, SuccessRate};
///
/// let health = HealthConfig {
///     consecutive_failures: Some(3),
///     success_rate: Some(SuccessRate { min_requests: 20, ..SuccessRate::default() }),
///     max_ejection: Duration::from_secs(60),
///     ..HealthConfig::default()
/// };
/// assert_eq!(health.interval, Duration::from_secs(10));
/// assert_eq!(HealthConfig::off().consecutive_failures, None);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct HealthConfig {
    /// An endpoint is ejected at once when so many calls to it fail in a row; `None` or 0 for never. 5, as in Envoy
    /// and Finagle.
    pub consecutive_failures: Option<u32>,
    /// The time of the first ejection for failures in a row. 5 s, as in Finagle.
    pub consecutive_ejection: Duration,
    /// Ejection of endpoints whose success rate is far below that of the others; `None` for never.
    pub success_rate: Option<SuccessRate>,
    /// Ejection of endpoints most of whose calls fail; `None` for never.
    pub failure_percentage: Option<FailurePercentage>,
    /// How long calls are counted before endpoints are compared, at least 10 ms. 10 s, as in gRFC A50.
    pub interval: Duration,
    /// The time of the first ejection by comparison. 30 s, as in gRFC A50.
    pub base_ejection: Duration,
    /// The longest ejection, unless the first is longer already. An ejection grows by the time of the first with each
    /// one that came before it and each probe that failed, less one for each interval that went well. 300 s, as in
    /// gRFC A50.
    pub max_ejection: Duration,
    /// The part of an ejection, from 0 to 1, that is left to chance, so that the clients of an endpoint do not all come
    /// back at once. 0.5: an ejection of 30 s lasts from 15 s to 30 s (equal jitter, as in Finagle).
    pub jitter: f64,
    /// How much of a cluster is ejected at most, in percent. One endpoint may go whatever the percentage, but never
    /// the last one; at 0 none may. 10, as in gRFC A50.
    pub max_ejected_percent: u8,
    /// When less of a cluster than this, in percent, is usable, calls go to all of it; 0 for never. 50, as in Envoy.
    pub panic_threshold: u8,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            consecutive_failures: Some(5),
            consecutive_ejection: Duration::from_secs(5),
            success_rate: Some(SuccessRate::default()),
            failure_percentage: Some(FailurePercentage::default()),
            interval: Duration::from_secs(10),
            base_ejection: Duration::from_secs(30),
            max_ejection: Duration::from_secs(300),
            jitter: 0.5,
            max_ejected_percent: 10,
            panic_threshold: 50,
        }
    }
}

impl HealthConfig {
    /// Ejects nothing.
    pub fn off() -> Self {
        Self {
            consecutive_failures: None,
            success_rate: None,
            failure_percentage: None,
            ..Self::default()
        }
    }
}

/// Ejects endpoints whose success rate in an interval is less than the mean of all by so many standard deviations.
/// Algorithm and defaults of gRFC A50.
///
/// The standard deviation is that of the whole population: one endpoint among `n` is at most `sqrt(n - 1)` of them away
/// from the mean, so with the default factor one alone stands out among five, and not among four.
#[derive(Clone, Debug, PartialEq)]
pub struct SuccessRate {
    /// Standard deviations below the mean. 1.9.
    pub stdev_factor: f64,
    /// Endpoints with enough calls that there must be for a comparison. 5.
    pub min_endpoints: usize,
    /// Calls in an interval that make an endpoint part of the comparison. 100.
    pub min_requests: u32,
}

impl Default for SuccessRate {
    fn default() -> Self {
        Self {
            stdev_factor: 1.9,
            min_endpoints: 5,
            min_requests: 100,
        }
    }
}

/// Ejects endpoints that fail more than a share of their calls in an interval. Algorithm and defaults of gRFC A50.
#[derive(Clone, Debug, PartialEq)]
pub struct FailurePercentage {
    /// Percent of the calls, beyond which an endpoint is ejected. 85.
    pub threshold: u8,
    /// Endpoints with enough calls that there must be. 5.
    pub min_endpoints: usize,
    /// Calls in an interval that make an endpoint one of them. 50.
    pub min_requests: u32,
}

impl Default for FailurePercentage {
    fn default() -> Self {
        Self {
            threshold: 85,
            min_endpoints: 5,
            min_requests: 50,
        }
    }
}
