//! What the table of scenarios does not tell of the default policy.

use std::time::Duration;

use doge_base::Env;
use doge_rpc_client::balance::{LoadBalancing::PeakEwma, Sample};
use tokio::time::Instant;

use super::{
    simulation::{Act, Fleet, Simulation},
    support::{assert_fits, balancer, counts, ms, nodes},
};

fn fleet_and_simulation(fleet: &Fleet, callers: usize) -> Simulation<'_> {
    let balancing = super::scenarios::Policy::PeakEwma.balancing();
    Simulation::new(fleet, fleet.balancer(&balancing, 0), callers, 10.0)
}

fn takes(millis: f64) -> Act {
    (millis, Sample::Answered)
}

/// Of two endpoints calls go by the odds of share times wait to the power of -3, exactly.
#[test]
fn of_two_each_gets_what_the_formula_says() {
    let (now, env) = (Instant::now(), Env::seeded(1));
    let nodes = nodes(&[100, 200], now, &env);
    nodes[0].begin(now).end(now + ms(2), Sample::Answered);
    nodes[1].begin(now).end(now + ms(3), Sample::Answered);
    let _busy = [nodes[1].begin(now), nodes[1].begin(now)];
    let balancer = balancer(PeakEwma, &nodes, now + ms(2), &env);
    let counts = counts(2, 100_000, || balancer.pick(now + ms(2), None, |_| true));
    // Weights of 2/3 and 4/3 of the mean.
    let odds = |weight: f64, latency: f64, calls: f64| {
        let wait = latency * (1.0 + calls / (weight / 150.0));
        weight / wait.powi(3)
    };
    assert_fits(&counts, &[odds(100.0, 2.0, 0.0), odds(200.0, 3.0, 2.0)]);
}

/// Where all wait alike, shares are exactly those of the weights, however large one of them is.
#[test]
fn idle_ones_get_calls_by_weight() {
    let (now, env) = (Instant::now(), Env::seeded(2));
    let many: Vec<u32> = [10_000].into_iter().chain(1..100).collect();
    for weights in [&[100, 50, 0, 250][..], &[1000, 1, 1], &[100; 16], &many] {
        let nodes = nodes(weights, now, &env);
        let balancer = balancer(PeakEwma, &nodes, now, &env);
        let counts = counts(weights.len(), 100_000, || {
            balancer.pick(now, None, |_| true)
        });
        let parts: Vec<_> = weights.iter().map(|weight| f64::from(*weight)).collect();
        assert_fits(&counts, &parts);
    }
}

#[test]
fn weights_share_out_the_load() {
    let fleet = Fleet::new(5, &[100, 100, 300, 300]);
    let mut simulation = fleet_and_simulation(&fleet, 160);
    simulation.run(5.0, |_, _| takes(10.0));
    let period = simulation.run(1.0, |_, _| takes(10.0));
    let all = f64::from(period.calls.iter().sum::<u32>());
    for (calls, part) in period.calls.iter().zip([0.125, 0.125, 0.375, 0.375]) {
        let part_got = f64::from(*calls) / all;
        assert!((part_got / part - 1.0).abs() < 0.05, "{:?}", period.calls);
    }
}

/// At random the variance of calls in flight is their mean or more. They count against an endpoint, and so it is half of
/// that.
#[test]
fn under_load_calls_in_flight_are_alike() {
    const CALLS: usize = 100;
    for count in [2, 10, 40] {
        let fleet = Fleet::new(14, &vec![100; count]);
        let mut simulation = fleet_and_simulation(&fleet, CALLS * count);
        let millis = super::scenarios::log_normal(0.1);
        let mut variance = 0.0;
        for _ in 0..20 {
            simulation.run(0.02, |_, _| takes(10.0 * millis(&|| fleet.env.fraction())));
            let squares = fleet.nodes.iter().map(|node| {
                let off = node.in_flight() as f64 - CALLS as f64;
                off * off
            });
            variance += squares.sum::<f64>() / count as f64 / 20.0;
        }
        let part = variance / CALLS as f64;
        assert!(part < 0.75, "{part} of {count}");
    }
}

/// A slow endpoint is drawn by its odds, and not whenever one of a pair has to be taken.
#[test]
fn of_several_slow_ones_none_draws_calls_because_the_other_of_the_pair_is_slow() {
    for (count, slow) in [(3, 2), (10, 5), (100, 50)] {
        let fleet = Fleet::new(6, &vec![100; count]);
        let mut simulation = fleet_and_simulation(&fleet, 1);
        let mut serve = |at, _| takes(if at < slow { 20.0 } else { 1.0 });
        simulation.run(10.0, &mut serve);
        let share = simulation.run(20.0, &mut serve).share(slow);
        assert!(share < 0.1, "{share} of {count}");
    }
}

/// What nobody asks is not forgotten to be as slow as it is fast: it would draw all calls when it is asked again.
#[test]
fn one_that_was_left_alone_for_long_has_its_share_and_no_more() {
    let fleet = Fleet::new(13, &[100; 3]);
    let mut simulation = fleet_and_simulation(&fleet, 64);
    simulation.run(1.0, |_, _| takes(10.0));
    simulation.in_rotation[0] = false;
    simulation.run(60.0, |_, _| takes(10.0));
    simulation.in_rotation[0] = true;
    // Before it has answered.
    let period = simulation.run(1.0, |_, _| takes(1000.0));
    assert!(period.share(1) < 1.5, "{:?}", period.calls);
}

#[test]
fn one_that_refused_for_overload_is_left_alone_for_the_pushback_and_then_has_its_share() {
    let fleet = Fleet::new(7, &[100; 3]);
    let mut simulation = fleet_and_simulation(&fleet, 6);
    simulation.run(1.0, |_, _| takes(5.0));

    let (pushback, now) = (Duration::from_secs(2), simulation.now());
    let refused = Sample::Overloaded { pushback };
    fleet.nodes[0].begin(now).end(now, refused);
    let period = simulation.run(2.0, |_, _| takes(5.0));
    assert_eq!(period.calls[0], 0);
    // It may be a quarter longer.
    simulation.run(0.5, |_, _| takes(5.0));
    let share = simulation.run(3.0, |_, _| takes(5.0)).share(1);
    assert!((0.9..1.1).contains(&share), "{share}");
}

#[test]
fn without_a_pushback_one_is_left_alone_for_a_usual_call() {
    let (began, env) = (Instant::now(), Env::seeded(11));
    let nodes = nodes(&[100; 2], began, &env);
    for node in &nodes {
        node.begin(began).end(began + ms(40), Sample::Answered);
    }
    let now = began + ms(40);
    let pushback = Duration::ZERO;
    nodes[0]
        .begin(now)
        .end(now, Sample::Overloaded { pushback });
    let balancer = balancer(PeakEwma, &nodes, now, &env);
    let picks = |after| {
        (0..100)
            .filter(|_| balancer.pick(now + ms(after), None, |_| true) == Some(0))
            .count()
    };
    assert_eq!([picks(0), picks(39)], [0, 0]);
    assert!(picks(51) > 20);
}

#[test]
fn the_only_one_of_many_that_did_not_refuse_is_found() {
    let (now, env) = (Instant::now(), Env::seeded(12));
    for count in [2, 3, 60] {
        let nodes = nodes(&vec![100; count], now, &env);
        let pushback = Duration::from_secs(1);
        for node in &nodes[1..] {
            node.begin(now).end(now, Sample::Overloaded { pushback });
        }
        let balancer = balancer(PeakEwma, &nodes, now, &env);
        assert!((0..100).all(|_| balancer.pick(now, None, |_| true) == Some(0)));
    }
}

#[test]
fn where_all_refused_for_overload_calls_are_spread_as_ever() {
    let fleet = Fleet::new(8, &[100; 100]);
    let pushback = Duration::from_secs(1);
    let mut simulation = fleet_and_simulation(&fleet, 500);
    for node in &fleet.nodes {
        let now = simulation.now();
        node.begin(now).end(now, Sample::Overloaded { pushback });
    }
    let [least, most] = simulation.run(0.5, |_, _| takes(5.0)).extremes();
    assert!(least > 0.7 && most < 1.3, "{least} to {most}");
}

/// Half of all being out of rotation changes nothing between the others.
#[test]
fn there_is_a_choice_even_where_half_may_not_be_picked() {
    let (now, env) = (Instant::now(), Env::seeded(10));
    let nodes = nodes(&[100; 20], now, &env);
    for (place, node) in nodes.iter().enumerate() {
        let slow = place % 4 == 1;
        let took = ms(if slow { 4 } else { 1 });
        node.begin(now).end(now + took, Sample::Answered);
    }
    let now = now + ms(4);
    let balancer = balancer(PeakEwma, &nodes, now, &env);
    let counts = counts(20, 10_000, || balancer.pick(now, None, |at| at % 2 == 1));
    let slow: usize = counts.iter().skip(1).step_by(4).sum();
    // Twice the odds of 4^-3 to 1.
    assert!(slow < 450, "{counts:?}");
    assert!(counts.iter().step_by(2).all(|calls| *calls == 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_given_up_can_raise_the_latency_and_not_lower_it() {
    let (env, start) = (Env::seeded(1), Instant::now());
    let node = &nodes(&[100], start, &env)[0];
    drop(node.begin(start));
    assert_eq!(
        node.latency(start),
        None,
        "nothing is learnt from a call given up at once"
    );

    tokio::time::advance(ms(50)).await;
    node.begin(start).end(Instant::now(), Sample::Answered);
    let call = node.begin(Instant::now());
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
