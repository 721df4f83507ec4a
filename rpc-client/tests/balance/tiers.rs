use std::{sync::Arc, time::Duration};

use doge_base::Env;
use doge_rpc_client::balance::{
    Balancer, Balancing, LoadBalancing, MAX_PUSHBACK,
    Nearness::{self, Far, Local, Zone},
    Sample,
};
use tokio::time::Instant;

use super::support::{assert_fits, balancer, counts, nodes};

const PLACES: [Nearness; 6] = [Far, Zone, Local, Far, Zone, Local];

fn pick_among(prefer_local: bool, zone: Option<&str>, may: impl Fn(usize) -> bool) -> [usize; 6] {
    let env = Env::seeded(1);
    let now = Instant::now();
    let balancing = Balancing {
        policy: doge_rpc_client::balance::LoadBalancing::Random,
        prefer_local,
        zone: zone.map(String::from),
        ..Balancing::default()
    };
    let balancer = Balancer::new(
        &balancing,
        nodes(&[100; 6], now, &env)
            .into_iter()
            .zip(PLACES)
            .collect(),
        now,
        &env,
    );
    let counts = counts(6, 6000, || balancer.pick(now, None, &may));
    counts.try_into().expect("there are six places")
}

#[test]
fn without_a_preference_all_are_alike() {
    assert_fits(&pick_among(false, None, |_| true), &[1.0; 6]);
}

#[test]
fn the_nearest_come_first_and_the_next_when_none_of_them_may_be_picked() {
    let pick = |may: fn(usize) -> bool| pick_among(true, Some("a"), may);
    assert_fits(&pick(|_| true), &[0.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
    // Half of those on this machine are worth 1.4 times half of all calls.
    assert_fits(&pick(|at| at != 2), &[0.0, 0.15, 0.0, 0.0, 0.15, 0.7]);
    assert_fits(
        &pick(|at| PLACES[at] != Local),
        &[0.0, 1.0, 0.0, 0.0, 1.0, 0.0],
    );
    assert_fits(
        &pick(|at| PLACES[at] == Far),
        &[1.0, 0.0, 0.0, 1.0, 0.0, 0.0],
    );
}

#[test]
fn what_is_local_is_in_the_zone_too_and_each_preference_counts_by_itself() {
    let zone = pick_among(false, Some("a"), |_| true);
    assert_fits(&zone, &[0.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
    let far = pick_among(true, None, |at| PLACES[at] != Local);
    assert_fits(&far, &[1.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
}

#[test]
fn an_overloaded_one_near_sends_calls_farther_rather_than_to_itself() {
    let env = Env::seeded(2);
    let now = Instant::now();
    let balancing = Balancing {
        prefer_local: true,
        ..Balancing::default()
    };
    let nodes = nodes(&[100; 3], now, &env);
    let near: Vec<_> = nodes
        .iter()
        .map(Arc::clone)
        .zip([Local, Far, Far])
        .collect();
    let balancer = Balancer::new(&balancing, near, now, &env);
    let pick = |now| balancer.pick(now, None, |_| true).unwrap();
    let pushback = Duration::from_secs(1);
    nodes[0]
        .begin(now)
        .end(now, Sample::Overloaded { pushback });
    assert!((0..100).all(|_| pick(now) != 0));
    assert_eq!(
        balancer.pick(now, None, |at| at == 0),
        Some(0),
        "there is no other"
    );
    let rested = now + pushback + pushback / 4;
    assert!((0..100).all(|_| pick(rested) == 0));
}

#[test]
fn whoever_can_do_without_is_not_sent_to_one_that_rests_or_has_no_weight() {
    let env = Env::seeded(3);
    let now = Instant::now();
    for policy in [
        LoadBalancing::PeakEwma,
        LoadBalancing::LeastActive,
        LoadBalancing::RoundRobin,
        LoadBalancing::Weighted,
        LoadBalancing::Random,
    ] {
        let nodes = nodes(&[100, 0, 100], now, &env);
        let pushback = Duration::from_secs(1);
        nodes[2]
            .begin(now)
            .end(now, Sample::Overloaded { pushback });
        let with_nearness = nodes.iter().map(|node| (Arc::clone(node), Far));
        let balancing = Balancing {
            policy,
            ..Balancing::default()
        };
        let balancer = Balancer::new(&balancing, with_nearness.collect(), now, &env);
        assert_eq!(balancer.pick_ready(now, None, |_| true), Some(0));
        assert_eq!(balancer.pick_ready(now, None, |place| place != 0), None);
        assert_eq!(balancer.pick(now, None, |place| place != 0), Some(2));
        let later = now + 2 * pushback;
        assert_eq!(
            balancer.pick_ready(later, None, |place| place != 0),
            Some(2)
        );
    }
}

#[test]
fn a_pushback_is_obeyed_in_full_up_to_the_maximum_and_no_longer() {
    for seed in 0..20 {
        let env = Env::seeded(seed);
        let start = Instant::now();
        for asked in [1, 299, 300, 301, 3_600, u64::from(u32::MAX) / 1_000] {
            let pushback = Duration::from_secs(asked);
            let nodes = nodes(&[100], start, &env);
            nodes[0]
                .begin(start)
                .end(start, Sample::Overloaded { pushback });
            let balancer = balancer(LoadBalancing::PeakEwma, &nodes, start, &env);
            let obeyed = pushback.min(MAX_PUSHBACK);
            let ready = |after| balancer.pick_ready(start + after, None, |_| true).is_some();
            assert!(!ready(obeyed - Duration::from_millis(1)), "{asked} s");
            assert!(
                ready(obeyed * 5 / 4 + Duration::from_millis(1)),
                "{asked} s"
            );
        }
    }
}
