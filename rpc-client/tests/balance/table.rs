//! The table: each policy, with 2, 10 and 100 endpoints and 1, 4 and 64 callers in a loop, in each scenario, against what
//! its definition says. Shares are in units of the share that each endpoint would have if all had the same.

use std::fmt::Write as _;

use super::{
    definitions::{
        Bounds, at_most, back_after, by_chance, due, few_in_flight, gap, mean, part, slowed,
    },
    scenarios::{
        Case, Outcome,
        Policy::{self, ConsistentHash, LeastActive, PeakEwma, Random, RoundRobin, Weighted},
        WINDOW, after_ejection, chance, equal, failing_for_a_while, half_weight, hiccup,
        log_normal, newcomer, slow_for_a_while, slower, sole_in_zone,
    },
};

/// What some policies have to come to in a scenario.
struct Line {
    policies: &'static [Policy],
    measure: &'static str,
    bounds: fn(Case) -> Bounds,
}

const BY_TURN: &[Policy] = &[RoundRobin, Weighted];
const BY_SHARE: &[Policy] = &[RoundRobin, Weighted, Random];
const ALL: &[Policy] = &Policy::ALL;

const fn line(
    policies: &'static [Policy],
    measure: &'static str,
    bounds: fn(Case) -> Bounds,
) -> Line {
    Line {
        policies,
        measure,
        bounds,
    }
}

#[track_caller]
fn assert_holds(scenario: impl Fn(Case) -> Outcome, lines: &[Line]) {
    let mut broken = String::new();
    let about = |line: &&Line, case: Case| line.policies.contains(&case.policy);
    for case in Case::all().filter(|case| lines.iter().any(|line| about(&line, *case))) {
        let outcome = scenario(case);
        for line in lines.iter().filter(|line| about(line, case)) {
            let measured = outcome.iter().find(|(name, _)| *name == line.measure);
            let (name, value) = measured.expect("the scenario measures it");
            let Bounds { least, most } = (line.bounds)(case);
            if !(least..=most).contains(value) {
                let _ = writeln!(
                    broken,
                    "{case:?}: {name} {value:.3} of {least:.3}..={most:.3}"
                );
            }
        }
    }
    assert!(broken.is_empty(), "\n{broken}");
}

#[test]
fn equal_endpoints_have_equal_shares() {
    const LEAST: &str = "least share";
    const MOST: &str = "most share";
    let lines = [
        line(&[PeakEwma, LeastActive, Random], LEAST, |case| {
            by_chance(case, 1.0, 1.0, 20.0)
        }),
        line(&[PeakEwma, LeastActive, Random], MOST, |case| {
            by_chance(case, 1.0, 1.0, 20.0)
        }),
        // In turn: one call more or less.
        line(BY_TURN, LEAST, |case| {
            Bounds::around(1.0, 1.1 / (20.0 * case.fair_rate()))
        }),
        line(BY_TURN, MOST, |case| {
            Bounds::around(1.0, 1.1 / (20.0 * case.fair_rate()))
        }),
        // 512 points on the ring spread keys with a deviation of 512^-1/2 = 0.044, of which 100 endpoints have 3.
        line(&[ConsistentHash], LEAST, |case| {
            by_chance(case, 0.87, 1.13, 10.0)
        }),
        line(&[ConsistentHash], MOST, |case| {
            by_chance(case, 0.87, 1.13, 10.0)
        }),
    ];
    assert_holds(equal, &lines);
}

#[test]
fn half_of_the_weight_is_half_of_the_share() {
    const SHARE: &str = "share";
    let lines = [
        line(&[Weighted, Random], SHARE, |case| {
            let due = due(case, 0.5, 1.0);
            by_chance(case, due, due, 20.0)
        }),
        // Calls in flight are whole numbers: while there are few, an endpoint that is free gets more than its share.
        line(&[PeakEwma, LeastActive], SHARE, |case| {
            let due = due(case, 0.5, 1.0);
            by_chance(case, due, few_in_flight(case, 0.5), 20.0)
        }),
        line(&[RoundRobin], SHARE, |case| by_chance(case, 1.0, 1.0, 20.0)),
        // By the ring, and by a bound on calls in flight that is rounded up to a whole call.
        line(&[ConsistentHash], SHARE, |case| {
            by_chance(case, 0.87 * due(case, 0.5, 1.0), 1.0, 20.0)
        }),
    ];
    assert_holds(half_weight, &lines);
}

const FIRST: &str = "share, 0 to 10 s";
const THEN: &str = "share, 10 to 30 s";
const AT_LAST: &str = "share, 30 to 40 s";
const GAP: &str = "longest gap, 0 to 10 s";

/// Slow start as Envoy has it, whatever the policy. Consistent hashing has none.
const SLOW_START: [Line; 6] = [
    line(
        &[RoundRobin, Weighted, Random, LeastActive, PeakEwma],
        FIRST,
        |case| in_slow_start(case, 1.0, 0.0, 10.0),
    ),
    line(
        &[RoundRobin, Weighted, Random, LeastActive, PeakEwma],
        THEN,
        |case| in_slow_start(case, 1.0, 10.0, 30.0),
    ),
    line(
        &[RoundRobin, Weighted, Random, LeastActive, PeakEwma],
        AT_LAST,
        |case| in_slow_start(case, 1.0, 30.0, 40.0),
    ),
    line(&[PeakEwma], GAP, |case| {
        at_most(gap(case, |time| due(case, part(time), 1.0)))
    }),
    line(&[ConsistentHash], FIRST, |case| {
        by_chance(case, 0.87, 1.13, 10.0)
    }),
    line(&[ConsistentHash], AT_LAST, |case| {
        by_chance(case, 0.87, 1.13, 10.0)
    }),
];

/// The mean of what is due, of an endpoint that looked so many times as slow at first, and at most what it is without.
fn in_slow_start(case: Case, looked: f64, from: f64, to: f64) -> Bounds {
    let least = mean(from, to, |time| due(case, part(time), slowed(time, looked)));
    let most = mean(from, to, |time| match case.policy {
        PeakEwma | LeastActive => few_in_flight(case, part(time)),
        _ => due(case, part(time), 1.0),
    });
    by_chance(case, least, most, to - from)
}

#[test]
fn a_newcomer_has_its_part_of_slow_start() {
    assert_holds(|case| newcomer(case, 1.0), &SLOW_START);
}

#[test]
fn an_endpoint_that_was_ejected_comes_back_like_a_newcomer() {
    assert_holds(after_ejection, &SLOW_START);
}

/// Its first call counts as four times what is usual elsewhere, which is forgotten with 5 s.
#[test]
fn a_newcomer_whose_first_call_is_slow_comes_a_little_later() {
    let lines = [
        line(&[PeakEwma], FIRST, |case| {
            in_slow_start(case, 4.0, 0.0, 10.0)
        }),
        line(&[PeakEwma], THEN, |case| {
            in_slow_start(case, 4.0, 10.0, 30.0)
        }),
        line(&[PeakEwma], AT_LAST, |case| {
            in_slow_start(case, 4.0, 30.0, 40.0)
        }),
        line(&[PeakEwma], GAP, |case| {
            at_most(gap(case, |time| due(case, part(time), slowed(time, 4.0))))
        }),
        line(&[RoundRobin, Weighted, Random, LeastActive], THEN, |case| {
            in_slow_start(case, 1.0, 10.0, 30.0)
        }),
    ];
    assert_holds(|case| newcomer(case, 11.0), &lines);
}

#[test]
fn one_hiccup_counts_as_four_times_the_usual_and_is_forgotten() {
    let lines = [
        line(&[PeakEwma], "share", |case| {
            let least = mean(0.0, 20.0, |time| due(case, 1.0, slowed(time, 4.0)));
            by_chance(case, least, 1.0, 20.0)
        }),
        line(&[PeakEwma], "longest gap", |case| {
            at_most(gap(case, |time| due(case, 1.0, slowed(time, 4.0))))
        }),
        line(
            &[LeastActive, RoundRobin, Weighted, Random],
            "share",
            |case| by_chance(case, 0.95, 1.0, 20.0),
        ),
        line(&[ConsistentHash], "share", |case| {
            by_chance(case, 0.83, 1.13, 20.0)
        }),
    ];
    assert_holds(hiccup, &lines);
}

/// What is due to an endpoint while others may be as fast as ever and it is remembered as so many times as slow: the odds
/// of that, and as much more where it is the others.
fn remembered(case: Case, times: f64, seconds: f64) -> Bounds {
    let least = mean(0.0, seconds, |time| due(case, 1.0, slowed(time, times)));
    by_chance(case, least, 2.0 - least, seconds)
}

/// The longest gap of an endpoint that is remembered as so many times as slow.
fn remembered_gap(case: Case, times: f64) -> Bounds {
    at_most(gap(case, |time| due(case, 1.0, slowed(time, times))))
}

#[test]
fn hiccups_in_one_of_a_thousand_calls_take_little_of_a_share() {
    let lines = [
        // Two hiccups in a row, at the most.
        line(&[PeakEwma], "least share", |case| {
            remembered(case, 16.0, 30.0)
        }),
        line(&[PeakEwma], "most share", |case| {
            remembered(case, 16.0, 30.0)
        }),
        line(&[PeakEwma], "longest gap", |case| remembered_gap(case, 4.0)),
        line(
            &[LeastActive, RoundRobin, Weighted, Random],
            "least share",
            |case| by_chance(case, 0.95, 1.05, 30.0),
        ),
    ];
    assert_holds(
        |case| chance(case, |random| if random() < 0.001 { 30.0 } else { 1.0 }),
        &lines,
    );
}

#[test]
fn noise_takes_little_of_a_share() {
    let lines = [
        line(&[PeakEwma], "least share", |case| {
            by_chance(case, 0.8, 1.2, 30.0)
        }),
        line(&[PeakEwma], "most share", |case| {
            by_chance(case, 0.8, 1.2, 30.0)
        }),
        line(&[PeakEwma], "longest gap", |case| remembered_gap(case, 2.0)),
        line(
            &[LeastActive, RoundRobin, Weighted, Random],
            "least share",
            |case| by_chance(case, 0.95, 1.05, 30.0),
        ),
    ];
    assert_holds(|case| chance(case, log_normal(0.3)), &lines);
}

#[test]
fn much_noise_takes_no_share() {
    let lines = [
        line(&[PeakEwma], "least share", |case| {
            remembered(case, 4.0, 30.0)
        }),
        line(&[PeakEwma], "most share", |case| {
            remembered(case, 4.0, 30.0)
        }),
        line(&[PeakEwma], "longest gap", |case| remembered_gap(case, 4.0)),
        line(
            &[LeastActive, RoundRobin, Weighted, Random],
            "least share",
            |case| by_chance(case, 0.95, 1.05, 30.0),
        ),
    ];
    assert_holds(|case| chance(case, log_normal(1.0)), &lines);
}

#[test]
fn a_method_that_is_sometimes_slow_takes_no_share() {
    let lines = [
        line(&[PeakEwma], "least share", |case| {
            remembered(case, 16.0, 30.0)
        }),
        line(&[PeakEwma], "most share", |case| {
            by_chance(case, 0.5, 2.0, 30.0)
        }),
        line(&[PeakEwma], "longest gap", |case| {
            remembered_gap(case, 16.0)
        }),
    ];
    assert_holds(
        |case| chance(case, |random| if random() < 0.1 { 50.0 } else { 1.0 }),
        &lines,
    );
}

/// Without load by the cube of the latency, under load by its square root less: then calls in flight count besides.
fn by_latency(case: Case, times: f64) -> Bounds {
    let loaded = due(case, 1.0, times.sqrt());
    let least = if case.callers > 8 * case.endpoints {
        0.5 * loaded
    } else {
        due(case, 1.0, times)
    };
    // With few calls it is forgotten in between.
    by_chance(case, least, loaded, 30.0)
}

#[test]
fn an_endpoint_that_is_twice_as_slow_has_less() {
    let lines = [
        line(&[PeakEwma], "share", |case| by_latency(case, 2.0)),
        line(&[LeastActive], "share", |case| {
            by_chance(case, 0.5, 1.0, 30.0)
        }),
        line(BY_SHARE, "share", |case| by_chance(case, 1.0, 1.0, 30.0)),
    ];
    assert_holds(|case| slower(case, 2.0), &lines);
}

#[test]
fn an_endpoint_that_is_ten_times_as_slow_has_little() {
    let lines = [
        line(&[PeakEwma], "share", |case| by_latency(case, 10.0)),
        line(&[LeastActive], "share", |case| {
            by_chance(case, 0.1, 1.0, 30.0)
        }),
        line(BY_SHARE, "share", |case| by_chance(case, 1.0, 1.0, 30.0)),
    ];
    assert_holds(|case| slower(case, 10.0), &lines);
}

#[test]
fn an_endpoint_that_was_slow_has_its_share_again() {
    const BACK: &str = "seconds until half of its share";
    let lines = [
        line(&[PeakEwma], "share meanwhile", |case| {
            by_latency(case, 10.0)
        }),
        line(&[PeakEwma], BACK, |case| {
            at_most(back_after(case, |time| slowed(time, 10.0)))
        }),
        line(
            &[LeastActive, RoundRobin, Weighted, Random, ConsistentHash],
            BACK,
            |_| at_most(2.0 * WINDOW),
        ),
    ];
    assert_holds(slow_for_a_while, &lines);
}

/// A failure doubles the penalty, and 5 s take 1/e of it: they are even at one failure in 5 s · ln 2. A pair of which both
/// fail is no choice.
#[test]
fn an_endpoint_that_fails_fast_is_asked_every_few_seconds_and_has_its_share_again() {
    const BACK: &str = "seconds until half of its share";
    let lines = [
        line(&[PeakEwma], "failures per second", |case| {
            let both = due(case, 1.0, f64::INFINITY);
            at_most(1.5 * ((5.0 * 2_f64.ln()).recip() + both * case.fair_rate()))
        }),
        line(&[PeakEwma], BACK, |case| {
            at_most(back_after(case, |time| 1.0 + 31.0 * (-time / 5.0).exp()))
        }),
        line(
            &[LeastActive, RoundRobin, Weighted, Random, ConsistentHash],
            BACK,
            |_| at_most(2.0 * WINDOW),
        ),
    ];
    assert_holds(failing_for_a_while, &lines);
}

/// It takes 1.4 times its part of slow start, and the others the rest.
#[test]
fn a_new_endpoint_that_is_alone_in_its_zone_does_not_take_all_calls_at_once() {
    fn taken(case: Case, from: f64, to: f64) -> Bounds {
        let taken = mean(from, to, |time| (1.4 * part(time)).min(1.0));
        let calls = case.fair_rate() * case.endpoints as f64 * (to - from);
        Bounds::around(taken, 5.0 * (taken / calls).sqrt())
    }
    let lines = [
        line(ALL, "part, 0 to 1 s", |case| taken(case, 0.0, 1.0)),
        line(ALL, "part, 1 to 10 s", |case| taken(case, 1.0, 10.0)),
        line(ALL, "part, 25 to 30 s", |_| Bounds::around(1.0, 0.0)),
    ];
    assert_holds(sole_in_zone, &lines);
}
