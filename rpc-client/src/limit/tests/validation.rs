use std::time::Duration;

use super::{CallLimits, Limiter};

#[test]
fn limits_that_let_nothing_through_or_cannot_be_kept_are_not_valid() {
    let second = Duration::from_secs(1);
    let limits = CallLimits::new;
    for (limits, why) in [
        (
            limits().concurrency(0),
            "a concurrency of 0 lets nothing through",
        ),
        (
            limits().rate(0, second),
            "a rate of 0 per 1s lets nothing through",
        ),
        (
            limits().rate(10, second).burst(0),
            "a rate of 10 per 1s with a burst of 0 lets nothing through",
        ),
        (
            limits().rate(10, Duration::ZERO),
            "a rate of 10 per 0ns is more than one call per nanosecond",
        ),
        (
            limits().rate(u32::MAX, second),
            "a rate of 4294967295 per 1s is more than one call per nanosecond",
        ),
        (
            limits().rate(1, second).burst(u32::MAX),
            "a rate of 1 per 1s takes more than a year to refill its burst",
        ),
        (
            limits().burst(3),
            "a burst of 3 is the burst of a rate, and there is none",
        ),
    ] {
        let invalid = limits.validate().unwrap_err();
        assert_eq!(invalid.to_string(), why);
        assert_eq!(Limiter::new(&limits, "hr.employee").unwrap_err(), invalid);
    }
    assert!(limits().rate(1, Duration::MAX).validate().is_err());
}

#[tokio::test]
async fn limits_at_the_edge_of_what_is_valid_work() {
    let year = Duration::from_secs(365 * 24 * 3600);
    for limits in [
        CallLimits::new(),
        CallLimits::new().concurrency(usize::MAX),
        CallLimits::new().rate(1, year),
        CallLimits::new().rate(1_000_000_000, Duration::from_secs(1)),
    ] {
        let limiter = Limiter::new(&limits, "hr.employee").unwrap();
        assert!(super::passes(&limiter).await, "{limits:?}");
    }
}
