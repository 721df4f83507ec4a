//! Round robin, weighted and random.

use std::{sync::Arc, thread, time::Duration};

use doge_base::Env;
use doge_rpc_client::balance::{
    Balancer, LoadBalancing,
    LoadBalancing::{Random, RoundRobin, Weighted},
    Sample,
};
use tokio::time::Instant;

use super::support::{assert_fits, balancer, counts, nodes};

/// The next picks of a balancer of endpoints with these weights.
fn picks(policy: LoadBalancing, weights: &[u32], count: usize, env: &Env) -> Vec<usize> {
    let now = Instant::now();
    let balancer = balancer(policy, &nodes(weights, now, env), now, env);
    (0..count)
        .map(|_| {
            balancer
                .pick(now, None, |_| true)
                .expect("all may be picked")
        })
        .collect()
}

fn count(picks: &[usize], endpoint: usize) -> usize {
    picks.iter().filter(|at| **at == endpoint).count()
}

#[test]
fn in_any_row_of_n_picks_each_of_n_endpoints_has_its_turn() {
    let env = Env::seeded(1);
    for n in [1, 2, 3, 7, 10, 64, 1000] {
        let picks = picks(RoundRobin, &vec![100; n], 3 * n, &env);
        for row in picks.windows(n) {
            let mut row = row.to_vec();
            row.sort_unstable();
            assert!(row.into_iter().eq(0..n), "of {n}");
        }
    }
}

#[test]
fn round_robin_looks_at_no_weight_but_zero() {
    let env = Env::seeded(2);
    let picks = picks(RoundRobin, &[1, 0, 1000], 100, &env);
    assert_eq!([0, 1, 2].map(|at| count(&picks, at)), [50, 0, 50]);
}

#[test]
fn a_pick_that_finds_nothing_takes_no_turn() {
    let env = Env::seeded(8);
    let now = Instant::now();
    for n in [2, 3, 17, 18] {
        let nodes = nodes(&vec![100; n], now, &env);
        let balancer = balancer(RoundRobin, &nodes, now, &env);
        let mut picks = Vec::new();
        for _ in 0..n {
            picks.extend(balancer.pick(now, None, |_| true));
            assert_eq!(balancer.pick_ready(now, None, |_| false), None);
        }
        picks.sort_unstable();
        assert!(picks.into_iter().eq(0..n), "of {n}");
    }
}

#[test]
fn of_endpoints_that_all_asked_to_be_left_alone_each_has_its_turn() {
    let env = Env::seeded(9);
    let now = Instant::now();
    for n in [2, 3, 17, 18] {
        let nodes = nodes(&vec![100; n], now, &env);
        for node in &nodes {
            let pushback = Duration::from_secs(60);
            node.begin(now).end(now, Sample::Overloaded { pushback });
        }
        let balancer = balancer(RoundRobin, &nodes, now, &env);
        let mut picks: Vec<_> = (0..n)
            .filter_map(|_| balancer.pick(now, None, |_| true))
            .collect();
        picks.sort_unstable();
        assert!(picks.into_iter().eq(0..n), "of {n}");
    }
}

#[test]
fn clients_do_not_all_begin_with_the_same_endpoint() {
    let env = Env::seeded(3);
    let counts = counts(10, 10_000, || {
        Some(picks(RoundRobin, &[100; 10], 1, &env)[0])
    });
    assert_fits(&counts, &[1.0; 10]);
}

#[test]
fn what_one_that_may_not_be_picked_loses_is_spread_over_all() {
    let env = Env::seeded(4);
    let now = Instant::now();
    let balancer = balancer(RoundRobin, &nodes(&[100; 5], now, &env), now, &env);
    let counts = counts(5, 4000, || balancer.pick(now, None, |at| at != 2));
    assert_eq!(counts, [1000, 1000, 0, 1000, 1000]);
}

/// Each has exactly its weight of turns in a cycle, and at no time is it as much as a few turns ahead or behind.
#[test]
fn weighted_is_as_smooth_as_nginx() {
    let env = Env::seeded(5);
    let many: Vec<u32> = (0..50).map(|_| 1 + env.below(100) as u32).collect();
    let sets = [
        &[5, 1, 1][..],
        &[100, 50, 50, 10],
        &[7, 3],
        &[1, 99],
        &[1; 12],
        &[1000, 1, 1, 1],
        &many,
    ];
    for weights in sets {
        let cycle: u32 = weights.iter().sum();
        let divisor = weights.iter().copied().fold(0, gcd);
        let cycle = (cycle / divisor) as usize;
        let ours = picks(Weighted, weights, 3 * cycle, &env);
        for row in ours.windows(cycle).step_by(cycle / 3 + 1) {
            for (at, weight) in weights.iter().enumerate() {
                assert_eq!(count(row, at), (weight / divisor) as usize, "{weights:?}");
            }
        }
        let (ours, nginx) = (
            farthest_off(&ours, weights),
            farthest_off(&smooth(weights, 3 * cycle), weights),
        );
        assert!(ours < nginx + 1.5, "{ours} against {nginx}: {weights:?}");
    }
}

/// How far the turns in any row of picks are from the endpoint's share of the row, at most.
fn farthest_off(picks: &[usize], weights: &[u32]) -> f64 {
    let sum: u32 = weights.iter().sum();
    let off = weights.iter().enumerate().map(|(endpoint, weight)| {
        let share = f64::from(*weight) / f64::from(sum);
        // A row is the difference of two beginnings.
        let (mut ahead, mut least, mut most) = (0.0_f64, 0.0_f64, 0.0_f64);
        for at in picks {
            ahead += f64::from(u8::from(*at == endpoint)) - share;
            (least, most) = (least.min(ahead), most.max(ahead));
        }
        most - least
    });
    off.fold(0.0, f64::max)
}

/// Nginx's smooth weighted round robin, as it is defined.
fn smooth(weights: &[u32], count: usize) -> Vec<usize> {
    let sum: i64 = weights.iter().copied().map(i64::from).sum();
    let mut current = vec![0_i64; weights.len()];
    let turn = |_| {
        for (current, weight) in current.iter_mut().zip(weights) {
            *current += i64::from(*weight);
        }
        let most = (0..weights.len())
            .max_by_key(|at| (current[*at], usize::MAX - at))
            .expect("there are weights");
        current[most] -= sum;
        most
    };
    (0..count).map(turn).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[test]
fn random_goes_by_weight() {
    let env = Env::seeded(6);
    let weights = [100, 50, 0, 1, 300];
    let picks = picks(Random, &weights, 100_000, &env);
    let counts: Vec<_> = (0..5).map(|at| count(&picks, at)).collect();
    assert_fits(&counts, &weights.map(f64::from));
}

#[test]
fn the_largest_weights_overflow_nothing() {
    let env = Env::seeded(7);
    for policy in [Weighted, Random] {
        let huge = picks(policy.clone(), &[u32::MAX; 3], 3000, &env);
        for at in 0..3 {
            assert!(count(&huge, at).abs_diff(1000) < 150);
        }
        let uneven = picks(policy, &[u32::MAX, u32::MAX - 1, 1], 2000, &env);
        assert!(count(&uneven, 0).abs_diff(1000) < 150);
        assert!(count(&uneven, 1).abs_diff(1000) < 150);
    }
}

#[test]
fn a_weight_changed_at_run_time_counts_from_the_next_pick() {
    let env = Env::seeded(8);
    let now = Instant::now();
    let nodes = nodes(&[100, 100], now, &env);
    let made = |policy| balancer(policy, &nodes, now, &env);
    let balancers: [Balancer; 2] = [Weighted, Random].map(made);
    nodes[0].set_weight(300);
    for balancer in &balancers {
        let counts = counts(2, 4000, || balancer.pick(now, None, |_| true));
        assert!(counts[0].abs_diff(3000) < 150, "{counts:?}");
    }
    nodes[0].set_weight(0);
    for balancer in &balancers {
        assert_eq!(
            counts(2, 100, || balancer.pick(now, None, |_| true)),
            [0, 100]
        );
    }
}

#[test]
fn turns_of_several_threads_are_one_order() {
    let env = Env::seeded(10);
    let now = Instant::now();
    let balancer = Arc::new(balancer(
        Weighted,
        &nodes(&[100, 200, 300], now, &env),
        now,
        &env,
    ));
    let threads = [(); 4].map(|()| {
        let balancer = Arc::clone(&balancer);
        thread::spawn(move || counts(3, 1500, || balancer.pick(now, None, |_| true)))
    });
    let counts = threads.map(|thread| thread.join().unwrap());
    let all = [0, 1, 2].map(|at| counts.iter().map(|counts| counts[at]).sum::<usize>());
    assert_eq!(all, [1000, 2000, 3000]);
}
