/// The forgetting of the past: what is remembered halves with each half-life that passes.
///
/// It is computed with a polynomial, so that any two machines compute the same; the relative error is below 0.00002.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decay {
    /// Half-lives in a millisecond.
    rate: f32,
}

/// How much earlier than what is remembered a reader's moment may be, in milliseconds: another thread was there.
const RACE: u32 = 60_000;

impl Decay {
    /// Forgets with a time constant of so many milliseconds: what is left of 1 after it is 1/e.
    pub(super) const fn with_time_constant(millis: f32) -> Self {
        Self {
            rate: std::f32::consts::LOG2_E / millis,
        }
    }

    /// The part that is left `now` of what was remembered `at`, both in milliseconds that wrap around after 49 days: 2^-x
    /// for the half-lives x that have passed.
    pub(super) fn left(self, at: u32, now: u32) -> f32 {
        /// With this added, an `f32` has no digits behind the point, and its last bits are those of a whole number.
        const WHOLE: f32 = 12_582_912.0;
        let millis = match now.wrapping_sub(at) {
            age if age > u32::MAX - RACE => 0.0,
            age => age as f32,
        };
        let passed = (millis * self.rate).min(125.0);
        let shifted = passed + WHOLE;
        let rest = passed - (shifted - WHOLE);
        // Through the Chebyshev nodes of -1/2 to 1/2.
        let of_rest = 1.0
            + rest
                * (-0.693_121
                    + rest * (0.240_223_5 + rest * (-0.055_921_976 + rest * 0.009_666_368)));
        let whole = shifted.to_bits().wrapping_sub(WHOLE.to_bits());
        of_rest * f32::from_bits(127_u32.wrapping_sub(whole) << 23)
    }
}

#[cfg(test)]
mod tests {
    use super::Decay;

    #[test]
    fn it_is_the_exponential_function_and_ends_near_zero() {
        let decay = Decay::with_time_constant(10_000.0);
        for age in (0..600_000).step_by(7) {
            let exact = (-f64::from(age) / 10_000.0).exp();
            let left = f64::from(decay.left(5, 5 + age));
            assert!((left / exact - 1.0).abs() < 2e-5, "{left} for {exact}");
        }
        let last = decay.left(0, u32::MAX / 2);
        assert!((0.0..1e-37).contains(&last), "{last}");
    }

    #[test]
    fn the_clock_may_wrap_around_and_be_read_late() {
        let decay = Decay::with_time_constant(10_000.0);
        let wrapped = decay.left(u32::MAX - 5000, 4999);
        assert!((wrapped - (-1.0_f32).exp()).abs() < 1e-4, "{wrapped}");
        // Another thread's moment was a little earlier.
        assert_eq!(decay.left(5000, 4990), 1.0);
    }
}
