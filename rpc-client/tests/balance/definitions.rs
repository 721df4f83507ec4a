//! What the policies are defined to do, as bounds on what is measured.

use super::scenarios::{Case, WINDOW};

/// Between which values a measure has to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Bounds {
    pub(crate) fn around(value: f64, off: f64) -> Self {
        Self {
            least: value - off,
            most: value + off,
        }
    }
}

pub(crate) fn at_most(most: f64) -> Bounds {
    Bounds { least: 0.0, most }
}

/// A share, give or take what it is off by chance in so many seconds: 5 standard deviations, and a twentieth for lots that
/// are drawn in hundredths.
pub(crate) fn by_chance(case: Case, least: f64, most: f64, seconds: f64) -> Bounds {
    let calls = case.fair_rate() * seconds;
    Bounds {
        least: 0.95 * least - 5.0 * (least / calls).sqrt(),
        most: 1.05 * most + 5.0 * (most / calls).sqrt(),
    }
}

/// The share of an endpoint that is befallen, with `weight` times the weight of the others and waits `times` as long: by
/// odds of weight · wait^-3 among up to 16 endpoints; of more by that of two that were drawn by weight.
pub(crate) fn due(case: Case, weight: f64, times: f64) -> f64 {
    let (all, befallen) = (case.endpoints as f64, case.befallen() as f64);
    let odds = times.powi(-3);
    if case.endpoints <= 16 {
        return all * weight * odds / (all - befallen + befallen * weight * odds);
    }
    let weights = all - befallen + befallen * weight;
    let drawn = all * weight / weights;
    // The other of the two is as good, or bad, or is not.
    let alike = (befallen - 1.0) * weight / (weights - weight);
    drawn * (alike + (1.0 - alike) * 2.0 * odds / (1.0 + odds))
}

/// The most that an endpoint of `weight` times the weight of the others has with a few calls in flight, which are whole
/// numbers: a call that it always has, or as many as it gets by odds where it is free and the others are not.
pub(crate) fn few_in_flight(case: Case, weight: f64) -> f64 {
    let (endpoints, callers) = (case.endpoints as f64, case.callers as f64);
    let due_if_free = due(case, weight, (1.0 + callers / endpoints).recip());
    let one_call = endpoints / callers;
    due(case, weight, 1.0).max(due_if_free.min(one_call))
}

/// The part of its weight that an endpoint has so many seconds after it came: Envoy's slow start, in 30 s.
pub(crate) fn part(time: f64) -> f64 {
    (time.max(1.0) / 30.0).clamp(0.1, 1.0)
}

/// How many times as slow as the others an endpoint is remembered to be: the EWMA comes down to the truth with 5 s.
pub(crate) fn slowed(time: f64, times: f64) -> f64 {
    1.0 + (times - 1.0) * (-time / 5.0).exp()
}

const STEP: f64 = 0.05;

/// The mean over some time.
pub(crate) fn mean(from: f64, to: f64, value: impl Fn(f64) -> f64) -> f64 {
    let steps = ((to - from) / STEP).round() as u32;
    let sum: f64 = (0..steps)
        .map(|step| value(from + STEP * (f64::from(step) + 0.5)))
        .sum();
    sum / f64::from(steps)
}

/// The longest time without a call for an endpoint with these shares: one in which 9.2 calls are due, as in 1 of 10,000 such
/// times none comes.
pub(crate) fn gap(case: Case, share: impl Fn(f64) -> f64) -> f64 {
    let (mut time, mut calls) = (0.0, 0.0);
    while calls < 9.2 {
        calls += share(time) * case.fair_rate() * STEP;
        time += STEP;
    }
    // Callers wait for slow calls meanwhile, up to 50 times as long as usual.
    time + 0.05 * case.millis()
}

/// When an endpoint has half of its share again that is remembered to be so many times as slow, as told by windows of calls.
pub(crate) fn back_after(case: Case, slow: impl Fn(f64) -> f64) -> f64 {
    let mut time = 0.0;
    while due(case, 1.0, slow(time)) < 0.5 {
        time += STEP;
    }
    time + 2.0 * WINDOW
}
