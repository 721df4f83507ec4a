use std::time::Duration;

use doge_rpc_client::balance::{LoadBalancing::PeakEwma, Sample};
use tokio::time::Instant;

use super::support::{Load, assert_fits, balancer, counts, ms, nodes};

/// Of a pair the cheaper is taken: of n endpoints the one with r cheaper ones gets 2 (n - 1 - r) of n (n - 1) calls.
#[test]
fn each_gets_what_the_power_of_two_choices_says() {
    fastrand::seed(1);
    let now = Instant::now();
    let nodes = nodes(&[100; 20], now);
    for (rank, node) in (1..).zip(&nodes) {
        node.begin(now).end(now + ms(rank), Sample::Answered);
    }
    let now = now + ms(20);
    let balancer = balancer(PeakEwma, &nodes, now);
    let counts = counts(20, 100_000, || balancer.pick(now, None, |_| true));
    let parts: Vec<_> = (0..20).map(|rank| f64::from(19 - rank)).collect();
    assert_fits(&counts, &parts);
}

#[test]
fn of_two_the_slower_is_never_taken() {
    fastrand::seed(2);
    let now = Instant::now();
    let nodes = nodes(&[100; 2], now);
    nodes[0].begin(now).end(now + ms(2), Sample::Answered);
    nodes[1].begin(now).end(now + ms(1), Sample::Answered);
    let balancer = balancer(PeakEwma, &nodes, now + ms(2));
    let counts = counts(2, 1000, || balancer.pick(now + ms(2), None, |_| true));
    assert_eq!(counts, [0, 1000]);
}

/// A pair of which one may not be picked is no choice: with half of all it would give each a fifteenth of the calls.
#[test]
fn there_is_a_choice_even_where_half_may_not_be_picked() {
    fastrand::seed(10);
    let now = Instant::now();
    let nodes = nodes(&[100; 20], now);
    for (rank, node) in (1..).zip(&nodes) {
        node.begin(now).end(now + ms(rank), Sample::Answered);
    }
    let now = now + ms(20);
    let balancer = balancer(PeakEwma, &nodes, now);
    let counts = counts(20, 10_000, || balancer.pick(now, None, |at| at % 2 == 1));
    assert!(counts[19] < 100, "{counts:?}");
    assert!(counts[1] > 1700, "{counts:?}");
}

/// Without load the slower one is asked again when its latency has decayed to that of the others, every τ ln 10, or a
/// little earlier when it is compared with one that has a call in flight.
#[test]
fn without_load_a_slower_one_is_asked_every_23_seconds() {
    fastrand::seed(3);
    let nodes = nodes(&[100; 3], Instant::now());
    let mut load = Load::new(PeakEwma, &nodes, Instant::now());
    let takes = |at| {
        let micros = if at == 0 { 1000 } else { 100 };
        (Duration::from_micros(micros), Sample::Answered)
    };
    load.run(Duration::from_secs(60), 20.0, takes);
    let counts = load.run(Duration::from_secs(2303), 20.0, takes);
    assert!((97..=103).contains(&counts[0]), "{counts:?}");
}

/// Under load all cost the same: an endpoint ten times as slow has a tenth of the calls in flight, and so a hundredth of
/// the calls. Here 20 are in flight at each fast one, so at most two, or the third begun, at the slow one.
#[test]
fn under_load_a_slower_one_has_calls_in_flight_as_it_is_fast() {
    fastrand::seed(4);
    let nodes = nodes(&[100; 10], Instant::now());
    let mut load = Load::new(PeakEwma, &nodes, Instant::now());
    let takes = |at| (ms(if at == 0 { 100 } else { 10 }), Sample::Answered);
    load.run(Duration::from_secs(5), 18_000.0, takes);
    let counts = load.run(Duration::from_secs(10), 18_000.0, takes);
    assert!((80..=300).contains(&counts[0]), "{counts:?}");
    let (least, most) = (counts[1..].iter().min(), counts[1..].iter().max());
    assert!(*most.unwrap() < *least.unwrap() * 11 / 10, "{counts:?}");
}

#[test]
fn weights_share_out_the_load() {
    fastrand::seed(5);
    let nodes = nodes(&[100, 100, 300, 300], Instant::now());
    let mut load = Load::new(PeakEwma, &nodes, Instant::now());
    let takes = |_| (ms(10), Sample::Answered);
    load.run(Duration::from_secs(5), 16_000.0, takes);
    let counts = load.run(Duration::from_secs(10), 16_000.0, takes);
    for (count, part) in counts.iter().zip([0.125, 0.125, 0.375, 0.375]) {
        let part_got = *count as f64 / 160_000.0;
        assert!((part_got / part - 1.0).abs() < 0.1, "{counts:?}");
    }
}

#[test]
fn one_that_fails_fast_loses_its_calls_and_gets_them_back_when_it_recovers() {
    fastrand::seed(6);
    let nodes = nodes(&[100; 3], Instant::now());
    let mut load = Load::new(PeakEwma, &nodes, Instant::now());
    let fails = |at| match at {
        0 => (Duration::from_micros(100), Sample::Failed),
        _ => (ms(5), Sample::Answered),
    };
    let counts = load.run(Duration::from_secs(60), 1000.0, fails);
    assert!(counts[0] <= 10, "{counts:?}");

    let recovered = |_| (ms(5), Sample::Answered);
    // From twice what calls wait for at the others, with some in flight there, down to the usual: τ ln 16.
    load.run(Duration::from_secs(28), 1000.0, recovered);
    let counts = load.run(Duration::from_secs(20), 1000.0, recovered);
    assert!((5000..8000).contains(&counts[0]), "{counts:?}");
}

#[test]
fn one_that_refused_for_overload_is_left_alone_for_the_pushback_and_then_has_its_share() {
    fastrand::seed(7);
    let nodes = nodes(&[100; 3], Instant::now());
    let mut load = Load::new(PeakEwma, &nodes, Instant::now());
    let takes = |_| (ms(5), Sample::Answered);
    load.run(Duration::from_secs(1), 1000.0, takes);

    let pushback = Duration::from_secs(2);
    let call = nodes[0].begin(load.now());
    call.end(load.now(), Sample::Overloaded { pushback });
    let counts = load.run(pushback, 1000.0, takes);
    assert_eq!(counts[0], 0);
    // It may be a quarter longer.
    load.run(pushback / 4, 1000.0, takes);
    let counts = load.run(Duration::from_secs(3), 1000.0, takes);
    assert!(counts[0].abs_diff(1000) < 150, "{counts:?}");
}

#[test]
fn without_a_pushback_one_is_left_alone_for_a_usual_call() {
    fastrand::seed(11);
    let began = Instant::now();
    let nodes = nodes(&[100; 2], began);
    for node in &nodes {
        node.begin(began).end(began + ms(40), Sample::Answered);
    }
    let now = began + ms(40);
    let pushback = Duration::ZERO;
    nodes[0]
        .begin(now)
        .end(now, Sample::Overloaded { pushback });
    let _busy = nodes[1].begin(now);
    let balancer = balancer(PeakEwma, &nodes, now);
    let pick = |after| balancer.pick(now + ms(after), None, |_| true);
    assert_eq!([pick(0), pick(39), pick(51)], [Some(1), Some(1), Some(0)]);
}

#[test]
fn the_only_one_of_many_that_did_not_refuse_is_found() {
    fastrand::seed(12);
    let now = Instant::now();
    let nodes = nodes(&[100; 60], now);
    let pushback = Duration::from_secs(1);
    for node in &nodes[1..] {
        node.begin(now).end(now, Sample::Overloaded { pushback });
    }
    let balancer = balancer(PeakEwma, &nodes, now);
    assert!((0..100).all(|_| balancer.pick(now, None, |_| true) == Some(0)));
}

#[test]
fn where_all_refused_for_overload_calls_are_spread_as_ever() {
    fastrand::seed(8);
    let now = Instant::now();
    let nodes = nodes(&[100; 100], now);
    let pushback = Duration::from_secs(1);
    for node in &nodes {
        node.begin(now).end(now, Sample::Overloaded { pushback });
    }
    let mut load = Load::new(PeakEwma, &nodes, now);
    let counts = load.run(ms(500), 100_000.0, |_| (ms(5), Sample::Answered));
    assert!(
        counts.iter().all(|count| count.abs_diff(500) < 150),
        "{counts:?}"
    );
}

#[test]
fn one_call_at_a_time_finds_out_about_an_endpoint_that_is_new() {
    fastrand::seed(9);
    let now = Instant::now();
    let nodes = nodes(&[100; 4], now);
    for node in &nodes[1..] {
        node.begin(now).end(now + ms(1), Sample::Answered);
    }
    let now = now + ms(1);
    let balancer = balancer(PeakEwma, &nodes, now);
    let pick = || balancer.pick(now, None, |_| true).unwrap();
    assert!(
        (0..20).any(|_| pick() == 0),
        "it is asked as soon as it is drawn"
    );
    let probe = nodes[0].begin(now);
    assert!((0..1000).all(|_| pick() != 0), "one call is under way");
    probe.end(now + ms(1), Sample::Answered);
    let counts = counts(4, 1000, || Some(pick()));
    assert!(counts[0] > 150, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_given_up_can_raise_the_latency_and_not_lower_it() {
    let node = &nodes(&[100], Instant::now())[0];
    drop(node.begin(Instant::now()));
    assert_eq!(
        node.latency(Instant::now()),
        None,
        "nothing is learnt from a call given up at once"
    );

    let began = Instant::now();
    node.begin(began).end(began + ms(50), Sample::Answered);
    let call = node.begin(began);
    tokio::time::advance(ms(10)).await;
    drop(call);
    let latency = node.latency(Instant::now()).unwrap();
    assert!(latency > ms(49), "{latency:?}");

    let call = node.begin(Instant::now());
    tokio::time::advance(ms(80)).await;
    drop(call);
    let latency = node.latency(Instant::now()).unwrap();
    assert!(
        latency.abs_diff(ms(80)) < Duration::from_micros(1),
        "{latency:?}"
    );
    assert_eq!(node.in_flight(), 0);
}
