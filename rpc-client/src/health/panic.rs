/// Whether so few endpoints are usable that health is not to be looked at: fewer than `threshold` percent of them. To
/// send all calls to the few that are left would bring those down too. Envoy's panic threshold.
pub(crate) fn panics(usable: usize, all: usize, threshold: u8) -> bool {
    usable.saturating_mul(100) < all.saturating_mul(usize::from(threshold))
}

#[cfg(test)]
mod tests {
    use super::panics;

    #[test]
    fn health_is_not_looked_at_when_less_than_the_threshold_is_usable() {
        for (usable, all, threshold, expected) in [
            (0, 0, 50, false),
            (0, 1, 50, true),
            (1, 2, 50, false),
            (1, 3, 50, true),
            (2, 3, 50, false),
            (49, 100, 50, true),
            (50, 100, 50, false),
            (0, 5, 0, false),
            (99, 100, 100, true),
            (100, 100, 100, false),
            (0, usize::MAX, 50, true),
        ] {
            assert_eq!(
                panics(usable, all, threshold),
                expected,
                "{usable} of {all} at {threshold} %"
            );
        }
    }
}
