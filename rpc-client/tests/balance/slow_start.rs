use std::{sync::Arc, time::Duration};

use doge_base::Env;
use doge_rpc_client::balance::{
    Balancer, Balancing, EndpointLoad,
    LoadBalancing::{self, LeastActive, PeakEwma, Random, RoundRobin, Weighted},
    Nearness, Sample, SlowStart,
};
use tokio::time::Instant;

use super::support::{assert_fits, counts, ms};

/// Three endpoints of old, and one that came now.
fn fleet(now: Instant, env: &Env) -> Vec<Arc<EndpointLoad>> {
    let nodes = super::support::nodes(&[100; 4], now, env);
    nodes[3].warm_up_from(now + Duration::from_secs(100));
    nodes
}

fn balancer(
    policy: LoadBalancing,
    nodes: &[Arc<EndpointLoad>],
    slow_start: SlowStart,
    env: &Env,
) -> Balancer {
    let balancing = Balancing {
        policy,
        slow_start: Some(slow_start),
        ..Balancing::default()
    };
    let nodes = nodes.iter().map(|node| (Arc::clone(node), Nearness::Far));
    Balancer::new(&balancing, nodes.collect(), Instant::now(), env)
}

/// The part of its weight that a new endpoint has after some seconds, by Envoy's formula.
const RAMP: [(u64, f64); 5] = [(0, 0.1), (3, 0.1), (6, 0.2), (15, 0.5), (30, 1.0)];

#[test]
fn turns_and_lots_follow_the_ramp() {
    let env = Env::seeded(1);
    let start = Instant::now();
    for policy in [RoundRobin, Weighted, Random, LeastActive] {
        let nodes = fleet(start, &env);
        let balancer = balancer(policy, &nodes, SlowStart::default(), &env);
        for (seconds, part) in RAMP {
            let now = start + Duration::from_secs(100 + seconds);
            let counts = counts(4, 20_000, || balancer.pick(now, None, |_| true));
            assert_fits(&counts, &[1.0, 1.0, 1.0, part]);
        }
    }
}

#[test]
fn under_load_peak_ewma_follows_the_ramp() {
    let env = Env::seeded(2);
    let start = Instant::now();
    let nodes = fleet(start, &env);
    let balancer = balancer(PeakEwma, &nodes, SlowStart::default(), &env);
    for (seconds, part) in RAMP {
        let now = start + Duration::from_secs(100 + seconds);
        for node in &nodes {
            node.begin(now).end(now + ms(10), Sample::Answered);
        }
        let pick = || balancer.pick(now, None, |_| true).unwrap();
        let _calls: Vec<_> = (0..4000).map(|_| nodes[pick()].begin(now)).collect();
        let active = nodes[3].in_flight() as f64;
        let expected = 4000.0 * part / (3.0 + part);
        assert!(
            (active / expected - 1.0).abs() < 0.15,
            "{active} of {expected} at {seconds} s"
        );
    }
}

#[test]
fn aggression_bends_the_ramp() {
    let env = Env::seeded(3);
    let start = Instant::now();
    let nodes = fleet(start, &env);
    let bent = SlowStart {
        aggression: 2.0,
        ..SlowStart::default()
    };
    let balancer = balancer(Random, &nodes, bent, &env);
    let now = start + Duration::from_secs(100) + ms(7500);
    let counts = counts(4, 20_000, || balancer.pick(now, None, |_| true));
    // The square root of a quarter.
    assert_fits(&counts, &[1.0, 1.0, 1.0, 0.5]);
}

#[test]
fn one_that_is_back_begins_anew() {
    let env = Env::seeded(4);
    let start = Instant::now();
    let nodes = super::support::nodes(&[100; 4], start, &env);
    let balancer = balancer(RoundRobin, &nodes, SlowStart::default(), &env);
    let now = start + Duration::from_secs(60);
    assert_eq!(
        counts(4, 400, || balancer.pick(now, None, |_| true)),
        [100; 4]
    );
    nodes[1].warm_up_from(now);
    let after = counts(4, 310, || balancer.pick(now, None, |_| true));
    assert_eq!(after, [100, 10, 100, 100]);
}

#[test]
fn where_all_are_new_none_is_held_back() {
    let env = Env::seeded(5);
    let now = Instant::now();
    let nodes = super::support::nodes(&[100; 4], now, &env);
    let balancer = balancer(RoundRobin, &nodes, SlowStart::default(), &env);
    assert_eq!(
        counts(4, 400, || balancer.pick(now, None, |_| true)),
        [100; 4]
    );
}

#[test]
fn nonsense_in_the_configuration_is_no_panic() {
    let env = Env::seeded(6);
    let now = Instant::now();
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0] {
        let slow_start = SlowStart {
            window: Duration::MAX,
            least: number,
            aggression: number,
        };
        for policy in [RoundRobin, PeakEwma] {
            let balancer = balancer(policy, &fleet(now, &env), slow_start.clone(), &env);
            assert!(balancer.pick(now, None, |_| true).is_some());
        }
    }
}
