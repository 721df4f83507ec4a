use std::{sync::Arc, time::Duration};

use super::{NONE, Rig, exact};
use crate::health::{Health, HealthConfig, HealthOutcome, SuccessRate};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn failures_in_a_row_eject_at_once() {
    let mut rig = Rig::new(3, exact());
    assert!(!rig.record(1, HealthOutcome::Failure, 4));
    assert_eq!(rig.sweep().ejected, NONE);
    assert!(rig.record(1, HealthOutcome::Failure, 1));
    let sweep = rig.sweep();
    assert_eq!(sweep.ejected, [1]);
    assert_eq!(sweep.probe, NONE);
    assert_eq!(sweep.next, rig.now + 5 * SECOND);
    assert_eq!(rig.ejected(), [1]);
    assert_eq!(rig.sweep().ejected, NONE, "told once");
}

#[test]
fn a_probe_is_asked_for_once_and_decides() {
    let mut rig = Rig::new(3, exact());
    rig.record(1, HealthOutcome::Failure, 5);
    rig.sweep();
    rig.pass(5 * SECOND - Duration::from_nanos(1));
    assert_eq!(rig.sweep().probe, NONE);
    rig.pass(Duration::from_nanos(1));
    assert_eq!(rig.sweep().probe, [1]);
    assert_eq!(rig.sweep().probe, NONE);
    assert_eq!(rig.ejected(), [1]);
    // Nor does it come back by itself, however long the probe takes.
    for _ in 0..1000 {
        let sweep = rig.end_interval();
        assert_eq!((sweep.ejected, sweep.probe), (vec![], vec![]));
    }
    assert_eq!(rig.ejected(), [1]);
    rig.ejector.restored(&rig.endpoints[1]);
    assert_eq!(rig.ejected(), NONE);
    assert_eq!(rig.sweep().ejected, NONE);
}

#[test]
fn each_ejection_is_longer_than_the_one_before_up_to_the_longest() {
    let config = HealthConfig {
        max_ejection: 18 * SECOND,
        ..exact()
    };
    let mut rig = Rig::new(3, config);
    rig.record(0, HealthOutcome::Failure, 5);
    rig.sweep();
    for seconds in [5, 10, 15, 18, 18, 18] {
        rig.pass(seconds * SECOND - Duration::from_nanos(1));
        assert_eq!(rig.sweep().probe, NONE, "{seconds} s");
        rig.pass(Duration::from_nanos(1));
        assert_eq!(rig.sweep().probe, [0], "{seconds} s");
        rig.ejector.still_bad(rig.now, &rig.endpoints[0]);
    }
}

#[test]
fn an_ejection_by_comparison_takes_its_own_time() {
    let mut rig = Rig::new(
        6,
        HealthConfig {
            consecutive_failures: None,
            ..exact()
        },
    );
    for endpoint in 0..6 {
        rig.record(endpoint, HealthOutcome::Success, 100);
    }
    rig.record(4, HealthOutcome::Failure, 100);
    assert_eq!(rig.sweep().ejected, NONE, "the interval is not over");
    assert_eq!(rig.end_interval().ejected, [4]);
    rig.pass(30 * SECOND - Duration::from_nanos(1));
    assert_eq!(rig.sweep().probe, NONE);
    rig.pass(Duration::from_nanos(1));
    assert_eq!(rig.sweep().probe, [4]);
}

#[test]
fn intervals_that_go_well_make_the_next_ejection_shorter() {
    for (good_intervals, expected) in [(0, 20), (1, 15), (2, 10), (3, 5), (9, 5)] {
        let mut rig = Rig::new(3, exact());
        rig.record(0, HealthOutcome::Failure, 5);
        rig.sweep();
        for _ in 0..2 {
            rig.ejector.still_bad(rig.now, &rig.endpoints[0]);
        }
        rig.end_interval();
        rig.ejector.restored(&rig.endpoints[0]);
        for _ in 0..good_intervals {
            rig.end_interval();
        }
        rig.record(0, HealthOutcome::Failure, 5);
        assert_eq!(rig.sweep().ejected, [0]);
        rig.pass(expected * SECOND - Duration::from_nanos(1));
        assert_eq!(rig.sweep().probe, NONE, "after {good_intervals}");
        rig.pass(Duration::from_nanos(1));
        assert_eq!(rig.sweep().probe, [0], "after {good_intervals}");
    }
}

#[test]
fn at_most_a_tenth_is_ejected_but_one_may_always_go_and_never_the_last() {
    for (count, percent, most) in [
        (1, 10, 0),
        (2, 10, 1),
        (3, 10, 1),
        (19, 10, 1),
        (20, 10, 2),
        (100, 10, 10),
        (3, 100, 2),
        (1, 100, 0),
        (0, 10, 0),
        (10, 0, 0),
        (4, 255, 3),
    ] {
        let config = HealthConfig {
            max_ejected_percent: percent,
            ..exact()
        };
        let mut rig = Rig::new(count, config);
        for endpoint in 0..count {
            rig.record(endpoint, HealthOutcome::Failure, 50);
        }
        assert_eq!(rig.sweep().ejected.len(), most, "{percent} % of {count}");
        assert_eq!(rig.end_interval().ejected, NONE, "{percent} % of {count}");
        assert_eq!(rig.ejected().len(), most, "{percent} % of {count}");
    }
}

#[test]
fn one_that_found_no_room_goes_when_there_is_some_if_it_fails_still() {
    let mut rig = Rig::new(4, exact());
    for endpoint in [0, 1, 2] {
        rig.record(endpoint, HealthOutcome::Failure, 5);
    }
    assert_eq!(rig.sweep().ejected, [0]);
    rig.record(1, HealthOutcome::Success, 1);
    rig.ejector.restored(&rig.endpoints[0]);
    assert_eq!(rig.sweep().ejected, [2]);
}

#[test]
fn of_those_that_stand_out_the_worst_goes_first() {
    let config = HealthConfig {
        consecutive_failures: None,
        ..exact()
    };
    let mut rig = Rig::new(12, config);
    for endpoint in 0..12 {
        rig.record(endpoint, HealthOutcome::Success, 100);
    }
    rig.record(3, HealthOutcome::Failure, 100);
    rig.record(7, HealthOutcome::Failure, 300);
    assert_eq!(rig.end_interval().ejected, [7]);
}

#[test]
fn results_of_before_an_ejection_neither_prolong_it_nor_end_it_nor_outlast_it() {
    let mut rig = Rig::new(3, exact());
    rig.record(0, HealthOutcome::Failure, 5);
    rig.sweep();
    assert!(!rig.record(0, HealthOutcome::Failure, 100));
    rig.record(0, HealthOutcome::Success, 100);
    rig.pass(5 * SECOND);
    assert_eq!(rig.sweep().probe, [0]);
    assert!(!rig.record(0, HealthOutcome::Failure, 100));
    rig.ejector.restored(&rig.endpoints[0]);
    assert_eq!(rig.sweep().ejected, NONE);
    assert_eq!(rig.end_interval().ejected, NONE);
}

#[test]
fn endpoints_that_leave_the_cluster_are_forgotten() {
    let mut rig = Rig::new(3, exact());
    rig.record(0, HealthOutcome::Failure, 5);
    assert_eq!(rig.sweep().ejected, [0]);
    rig.record(1, HealthOutcome::Failure, 5);
    assert_eq!(rig.sweep().ejected, NONE);
    // A new one in its place has no past, and leaves room for another to be ejected.
    rig.endpoints[0] = Arc::new(Health::new(&rig.config));
    rig.record(1, HealthOutcome::Failure, 1);
    assert_eq!(rig.sweep().ejected, [1]);
    rig.endpoints.clear();
    let sweep = rig.end_interval();
    assert_eq!((sweep.ejected, sweep.probe), (vec![], vec![]));
}

#[test]
fn what_is_off_ejects_nothing() {
    let rate = SuccessRate {
        min_requests: 10,
        ..SuccessRate::default()
    };
    let only_in_a_row = HealthConfig {
        success_rate: None,
        failure_percentage: None,
        ..exact()
    };
    let only_rate = HealthConfig {
        success_rate: Some(rate),
        ..HealthConfig::off()
    };
    let only_percentage = HealthConfig {
        failure_percentage: exact().failure_percentage,
        ..HealthConfig::off()
    };
    for (config, in_a_row, by_rate, by_percentage) in [
        (HealthConfig::off(), 0, 0, 0),
        (
            HealthConfig {
                consecutive_failures: Some(0),
                ..HealthConfig::off()
            },
            0,
            0,
            0,
        ),
        (only_in_a_row, 1, 0, 0),
        (only_rate, 0, 1, 0),
        (only_percentage, 0, 0, 1),
    ] {
        let mut rig = Rig::new(10, config.clone());
        rig.record(0, HealthOutcome::Failure, 9);
        assert_eq!(rig.sweep().ejected.len(), in_a_row, "{config:?}");

        // Half of the calls to one fail: below the percentage.
        let mut rig = Rig::new(10, config.clone());
        for endpoint in 0..10 {
            rig.record(endpoint, HealthOutcome::Success, 30);
        }
        rig.record(0, HealthOutcome::Failure, 4);
        for _ in 0..10 {
            rig.record(1, HealthOutcome::Failure, 3);
            rig.record(1, HealthOutcome::Success, 1);
        }
        assert_eq!(rig.end_interval().ejected.len(), by_rate, "{config:?}");

        // All calls to five of five fail: none stands out.
        let mut rig = Rig::new(5, config.clone());
        for endpoint in 0..5 {
            rig.record(endpoint, HealthOutcome::Failure, 100);
            rig.record(endpoint, HealthOutcome::Success, 1);
            rig.endpoints[endpoint].take_due();
        }
        assert_eq!(
            rig.end_interval().ejected.len(),
            by_percentage,
            "{config:?}"
        );
    }
}

#[test]
fn an_ejection_is_shortened_at_random_by_up_to_half() {
    fastrand::seed(7);
    let mut times: Vec<_> = (0..1000)
        .map(|_| {
            let mut rig = Rig::new(2, HealthConfig::default());
            rig.record(0, HealthOutcome::Failure, 5);
            rig.sweep().next - rig.now
        })
        .collect();
    times.sort();
    assert!(times[0] >= SECOND * 5 / 2 && times[999] <= 5 * SECOND);
    let mean = times.iter().sum::<Duration>().as_secs_f64() / 1000.0;
    assert!((mean - 3.75).abs() < 0.1, "{mean}");
    assert!(
        times[100] < SECOND * 29 / 10 && times[900] > SECOND * 46 / 10,
        "evenly"
    );
}

#[test]
fn no_configuration_overflows_the_clock_or_spins() {
    let longest = Duration::MAX;
    for (time, jitter) in [
        (longest, 0.5),
        (longest, f64::NAN),
        (longest, -1.0),
        (Duration::ZERO, 2.0),
    ] {
        let config = HealthConfig {
            consecutive_ejection: time,
            base_ejection: time,
            max_ejection: time,
            interval: time,
            jitter,
            ..HealthConfig::default()
        };
        let mut rig = Rig::new(2, config);
        rig.record(0, HealthOutcome::Failure, 5);
        assert_eq!(rig.sweep().ejected, [0]);
        rig.ejector.still_bad(rig.now, &rig.endpoints[0]);
        rig.sweep();
    }
}

#[test]
fn failures_of_before_an_ejection_are_not_compared_after_it() {
    let mut rig = Rig::new(10, exact());
    rig.record(0, HealthOutcome::Failure, 200);
    assert_eq!(rig.sweep().ejected, [0]);
    rig.pass(5 * SECOND);
    assert_eq!(rig.sweep().probe, [0]);
    rig.ejector.restored(&rig.endpoints[0]);
    for endpoint in 0..10 {
        rig.record(endpoint, HealthOutcome::Success, 100);
    }
    rig.pass(5 * SECOND);
    assert_eq!(rig.sweep().ejected, NONE);
}

#[test]
fn one_that_stands_out_twice_over_is_ejected_once() {
    let config = HealthConfig {
        consecutive_failures: None,
        ..exact()
    };
    let mut rig = Rig::new(20, config);
    for endpoint in 1..20 {
        rig.record(endpoint, HealthOutcome::Success, 100);
    }
    rig.record(0, HealthOutcome::Failure, 100);
    assert_eq!(rig.end_interval().ejected, [0]);
    rig.pass(30 * SECOND);
    assert_eq!(rig.sweep().probe, [0]);
}

/// Beside one that fails all its calls, one that fails 40 % of them would not stand out.
#[test]
fn those_that_are_ejected_are_not_compared() {
    let mut rig = Rig::new(20, exact());
    for endpoint in 2..20 {
        rig.record(endpoint, HealthOutcome::Success, 100);
    }
    rig.record(1, HealthOutcome::Failure, 4);
    for _ in 0..12 {
        rig.record(1, HealthOutcome::Success, 5);
        rig.record(1, HealthOutcome::Failure, 3);
    }
    rig.record(0, HealthOutcome::Failure, 100);
    assert_eq!(rig.end_interval().ejected, [0, 1]);
}
