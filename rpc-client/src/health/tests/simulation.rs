//! Ten endpoints under load in virtual time, one of which fails for a while.

use std::time::Duration;

use super::{NONE, Rig, exact};
use crate::health::{HealthConfig, HealthOutcome};

const STEP: Duration = Duration::from_millis(100);

/// Ten calls per step and endpoint in rotation; half of those to the bad ones fail. Probes are answered at once.
/// Tells how many calls went to endpoint 0.
fn step(rig: &mut Rig, bad: &[usize]) -> usize {
    let mut calls_of_0 = 0;
    for endpoint in 0..rig.endpoints.len() {
        if rig.endpoints[endpoint].is_ejected() {
            continue;
        }
        for _ in 0..10 {
            calls_of_0 += usize::from(endpoint == 0);
            let fails = bad.contains(&endpoint) && fastrand::bool();
            let outcome = if fails {
                HealthOutcome::Failure
            } else {
                HealthOutcome::Success
            };
            rig.record(endpoint, outcome, 1);
        }
    }
    rig.pass(STEP);
    for endpoint in rig.sweep().probe {
        if bad.contains(&endpoint) {
            rig.ejector.still_bad(rig.now, &rig.endpoints[endpoint]);
        } else {
            rig.ejector.restored(&rig.endpoints[endpoint]);
        }
    }
    calls_of_0
}

fn run(rig: &mut Rig, time: Duration, bad: &[usize]) -> usize {
    let end = rig.now + time;
    let mut calls_of_0 = 0;
    while rig.now < end {
        calls_of_0 += step(rig, bad);
    }
    calls_of_0
}

#[test]
fn one_of_ten_that_fails_half_its_calls_goes_within_two_intervals_and_comes_back() {
    for seed in 0..20 {
        fastrand::seed(seed);
        let config = HealthConfig {
            consecutive_failures: None,
            ..HealthConfig::default()
        };
        let mut rig = Rig::new(10, config);
        run(&mut rig, Duration::from_secs(13), &[]);
        assert_eq!(rig.ejected(), NONE, "seed {seed}");

        run(&mut rig, Duration::from_secs(20), &[0]);
        assert_eq!(rig.ejected(), [0], "seed {seed}");
        assert_eq!(
            run(&mut rig, Duration::from_secs(600), &[0]),
            0,
            "seed {seed}"
        );

        run(&mut rig, Duration::from_secs(300), &[]);
        assert_eq!(rig.ejected(), NONE, "seed {seed}");
        let calls = run(&mut rig, Duration::from_secs(10), &[]);
        assert_eq!(calls, 1000, "seed {seed}");
    }
}

#[test]
fn failures_in_a_row_are_found_sooner_than_by_comparison() {
    fastrand::seed(1);
    let mut rig = Rig::new(10, exact());
    run(&mut rig, Duration::from_secs(2), &[0]);
    assert_eq!(rig.ejected(), [0]);
}

#[test]
fn when_half_of_all_fail_no_more_than_the_cap_goes() {
    fastrand::seed(1);
    let mut rig = Rig::new(20, exact());
    let bad: Vec<_> = (0..10).collect();
    let end = rig.now + Duration::from_secs(120);
    while rig.now < end {
        step(&mut rig, &bad);
        assert!(rig.ejected().len() <= 2);
        assert!(rig.ejected().iter().all(|endpoint| bad.contains(endpoint)));
    }
    assert_eq!(rig.ejected().len(), 2);
}
