use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
/// The longest pause.
pub(super) const LONGEST: Duration = Duration::from_secs(5);

/// How long to wait after so many failures in a row; `random` is from 0 to 1.
///
/// AWS's "full jitter": anything up to a bound that doubles. Those who lost the same registry at the
/// same moment come back spread over the whole time.
pub(super) fn pause(failures: u32, random: f64) -> Duration {
    let doublings = failures.saturating_sub(1);
    let bound = FIRST
        .checked_mul(2_u32.saturating_pow(doublings))
        .map_or(LONGEST, |bound| bound.min(LONGEST));
    bound.mul_f64(random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_the_longest() {
        let bounds = [1, 2, 3, 4, 5, 6, 100, u32::MAX].map(|failures| pause(failures, 1.0));
        let expected = [200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000];
        assert_eq!(bounds, expected.map(Duration::from_millis));
    }

    #[test]
    fn a_pause_is_anything_up_to_the_bound() {
        assert_eq!(pause(3, 0.0), Duration::ZERO);
        assert_eq!(pause(3, 0.25), Duration::from_millis(200));
    }
}
