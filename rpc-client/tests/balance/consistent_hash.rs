use std::sync::Arc;

use doge_base::Env;
use doge_rpc_client::balance::{Balancer, ConsistentHash, EndpointLoad, HashKey, LoadBalancing};
use doge_rpc_core::{
    Deadline,
    call::{Request, Route},
    schema::{ArgumentSchema, Encoding, MethodSchema},
    wire,
};
use tokio::time::Instant;

use super::support::{assert_fits, balancer, counts, nodes};

const KEYS: u64 = 50_000;

fn by_key() -> LoadBalancing {
    LoadBalancing::ConsistentHash(ConsistentHash::by(HashKey::Metadata("key".into())))
}

/// A key's hash: any number that is as good as random.
fn hash(key: u64) -> u64 {
    Env::seeded(key).number()
}

/// The address that each key goes to when nothing is in flight.
fn owners(nodes: &[Arc<EndpointLoad>], now: Instant) -> Vec<String> {
    let env = Env::seeded(0);
    let balancer = balancer(by_key(), nodes, now, &env);
    let owner = |key| {
        let at = balancer.pick(now, Some(hash(key)), |_| true);
        let at = at.expect("all may be picked");
        nodes[at].address().to_owned()
    };
    (0..KEYS).map(owner).collect()
}

#[test]
fn keys_spread_by_weight() {
    let env = Env::seeded(0);
    let now = Instant::now();
    let nodes = nodes(&[100, 100, 200, 50, 0], now, &env);
    let owners = owners(&nodes, now);
    for node in &nodes {
        let keys = owners
            .iter()
            .filter(|owner| *owner == node.address())
            .count() as f64;
        let expected = KEYS as f64 * f64::from(node.weight()) / 450.0;
        assert!(
            (keys - expected).abs() <= 0.12 * expected,
            "{keys} of {expected}"
        );
    }
}

#[test]
fn one_that_comes_takes_its_part_of_the_keys_and_no_other_moves() {
    let env = Env::seeded(0);
    let now = Instant::now();
    for n in [2, 3, 10, 100] {
        let all = nodes(&vec![100; n + 1], now, &env);
        let (before, after) = (owners(&all[..n], now), owners(&all, now));
        let moved = before
            .iter()
            .zip(&after)
            .filter(|(before, after)| before != after);
        let moved: Vec<_> = moved.map(|(_, after)| after.as_str()).collect();
        assert!(
            moved.iter().all(|owner| *owner == all[n].address()),
            "of {n}"
        );
        let part = moved.len() as f64 / KEYS as f64 * (n + 1) as f64;
        assert!((0.8..1.2).contains(&part), "{part} of a share at {n}");
    }
}

/// A large ring is thinned out, and all the more the more endpoints there are: then as many keys again may move.
#[test]
fn of_a_thousand_one_that_comes_moves_a_thousandth_or_two() {
    let env = Env::seeded(0);
    let now = Instant::now();
    let all = nodes(&vec![100; 1001], now, &env);
    let (before, after) = (owners(&all[..1000], now), owners(&all, now));
    let moved = before
        .iter()
        .zip(&after)
        .filter(|(before, after)| before != after)
        .count();
    assert!(moved < KEYS as usize * 3 / 1000, "{moved}");
}

#[test]
fn clients_agree_whatever_the_order_of_their_lists() {
    let env = Env::seeded(1);
    let now = Instant::now();
    let mut nodes = nodes(&[100; 7], now, &env);
    let before = owners(&nodes, now);
    nodes.sort_by_cached_key(|_| env.number());
    assert_eq!(owners(&nodes, now), before);
}

/// The placing is part of what clients of different releases have to agree on.
#[test]
fn the_placing_does_not_change_between_releases() {
    let env = Env::seeded(0);
    let now = Instant::now();
    let nodes = nodes(&[100; 5], now, &env);
    let balancer = balancer(by_key(), &nodes, now, &env);
    let step = u64::MAX / 16;
    let owners: Vec<_> = (0..16)
        .map(|at| balancer.pick(now, Some(at * step), |_| true).unwrap())
        .collect();
    assert_eq!(owners, [0, 0, 4, 2, 0, 0, 1, 4, 3, 4, 0, 1, 2, 0, 4, 0]);
}

/// One key that all ask for: no endpoint has more in flight than 1.25 times the mean, rounded up.
#[test]
fn no_endpoint_has_more_than_its_bound() {
    let env = Env::seeded(0);
    let now = Instant::now();
    for weights in [vec![100; 3], vec![100; 40], vec![100, 200, 300, 400]] {
        let nodes = nodes(&weights, now, &env);
        let sum: u32 = weights.iter().sum();
        let balancer = balancer(by_key(), &nodes, now, &env);
        let mut calls = Vec::new();
        for count in 1..=1000_usize {
            let at = balancer.pick(now, Some(hash(7)), |_| true).unwrap();
            calls.push(nodes[at].begin(now));
            let share = f64::from(weights[at]) / f64::from(sum);
            let bound = (1.25 * count as f64 * share).ceil() as usize;
            assert!(
                nodes[at].in_flight() <= bound,
                "{} of {bound}",
                nodes[at].in_flight()
            );
        }
        // The first choice has its fill.
        let most = nodes.iter().map(|node| node.in_flight()).max().unwrap();
        assert!(most as f64 >= 1.2 * 1000.0 / weights.len() as f64);
    }
}

#[test]
fn the_count_of_all_in_flight_goes_on_when_the_endpoints_change() {
    let env = Env::seeded(0);
    let now = Instant::now();
    let nodes = nodes(&[100; 10], now, &env);
    let before = balancer(by_key(), &nodes[..5], now, &env);
    let pick = |balancer: &Balancer| balancer.pick(now, Some(hash(7)), |_| true).unwrap();
    let _calls: Vec<_> = (0..100).map(|_| nodes[pick(&before)].begin(now)).collect();
    let after = balancer(by_key(), &nodes, now, &env);
    let _more: Vec<_> = (0..100).map(|_| nodes[pick(&after)].begin(now)).collect();
    // 200 in flight on 10: up to 25 each, and the first choices have them.
    let active: Vec<_> = nodes.iter().map(|node| node.in_flight()).collect();
    assert_eq!(active.iter().max(), Some(&25), "{active:?}");
    assert_eq!(active[5..].iter().max(), Some(&25), "{active:?}");
}

#[test]
fn where_some_may_not_be_picked_the_others_share_their_calls() {
    let env = Env::seeded(2);
    let now = Instant::now();
    let nodes = nodes(&[100; 10], now, &env);
    let balancer = balancer(by_key(), &nodes, now, &env);
    let mut calls = Vec::new();
    for key in 0..1000 {
        let at = balancer.pick(now, Some(hash(key)), |at| at >= 6).unwrap();
        calls.push(nodes[at].begin(now));
    }
    for node in &nodes[6..] {
        assert!(node.in_flight().abs_diff(250) < 30, "{}", node.in_flight());
    }
}

#[test]
fn a_call_without_a_key_goes_by_load() {
    let env = Env::seeded(3);
    let now = Instant::now();
    let nodes = nodes(&[100; 2], now, &env);
    let _busy = nodes[0].begin(now);
    let balancer = balancer(by_key(), &nodes, now, &env);
    let counts = counts(2, 10_000, || balancer.pick(now, None, |_| true));
    // It would wait for one call there, and for none here.
    assert_fits(&counts, &[0.125, 1.0]);
}

#[test]
fn a_key_is_an_argument_by_name_or_metadata() {
    static ARGUMENTS: [ArgumentSchema; 2] = [
        ArgumentSchema::new("tags", "Vec<String>"),
        ArgumentSchema::new("id", "u32"),
    ];
    static METHOD: MethodSchema = MethodSchema::new("t", "m", 0).with_arguments(&ARGUMENTS);
    let request = |route: Route, id: u32| {
        let body = wire::encode(&(["a", "b"], id), Encoding::Map).unwrap();
        Request::new(route, body, Deadline::after(Deadline::DEFAULT_TIMEOUT))
    };
    let by_id = HashKey::Argument("id".into());
    let hash = |id| by_id.hash(&request(Route::from(&METHOD), id));
    assert!(hash(7).is_some());
    assert_eq!(hash(7), hash(7));
    assert_ne!(hash(7), hash(8));
    assert_eq!(
        HashKey::Argument("name".into()).hash(&request((&METHOD).into(), 7)),
        None
    );
    let unknown = Route::named("t", "m").unwrap();
    assert_eq!(
        by_id.hash(&request(unknown, 7)),
        None,
        "no schema, no names"
    );
}
