use doge_base::Env;
use doge_rpc_client::balance::LoadBalancing::LeastActive;
use tokio::time::Instant;

use super::support::{assert_fits, balancer, counts, nodes};

#[test]
fn of_sixteen_it_is_one_of_the_least_and_each_of_those_alike() {
    let env = Env::seeded(1);
    let now = Instant::now();
    let nodes = nodes(&[100; 16], now, &env);
    let active = [3, 1, 2, 1, 9, 4, 1, 2, 2, 5, 6, 1, 7, 3, 3, 2];
    let calls = nodes.iter().zip(active);
    let _calls: Vec<_> = calls
        .flat_map(|(node, active)| (0..active).map(move |_| node.begin(now)))
        .collect();
    let balancer = balancer(LeastActive, &nodes, now, &env);
    let counts = counts(16, 10_000, || balancer.pick(now, None, |_| true));
    assert_fits(
        &counts,
        &active.map(|active| f64::from(u8::from(active == 1))),
    );
}

#[test]
fn of_more_it_is_the_lesser_of_two() {
    let env = Env::seeded(2);
    let now = Instant::now();
    let nodes = nodes(&[100; 20], now, &env);
    let calls = nodes.iter().enumerate();
    let _calls: Vec<_> = calls
        .flat_map(|(active, node)| (0..active).map(move |_| node.begin(now)))
        .collect();
    let balancer = balancer(LeastActive, &nodes, now, &env);
    let counts = counts(20, 100_000, || balancer.pick(now, None, |_| true));
    let parts: Vec<_> = (0..20).map(|rank| f64::from(19 - rank)).collect();
    assert_fits(&counts, &parts);
}

#[test]
fn idle_ones_get_calls_by_weight() {
    let env = Env::seeded(3);
    let now = Instant::now();
    let nodes = nodes(&[100, 50, 0, 250], now, &env);
    let balancer = balancer(LeastActive, &nodes, now, &env);
    let counts = counts(4, 10_000, || balancer.pick(now, None, |_| true));
    assert_fits(&counts, &[100.0, 50.0, 0.0, 250.0]);
}

#[test]
fn calls_in_flight_settle_by_weight() {
    let env = Env::seeded(4);
    let now = Instant::now();
    let nodes = nodes(&[100, 200, 300], now, &env);
    let balancer = balancer(LeastActive, &nodes, now, &env);
    let pick = || balancer.pick(now, None, |_| true).unwrap();
    let _calls: Vec<_> = (0..600).map(|_| nodes[pick()].begin(now)).collect();
    let active: Vec<_> = nodes.iter().map(|node| node.in_flight()).collect();
    assert_eq!(active, [100, 200, 300]);
}
