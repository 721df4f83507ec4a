//! Round robin beneath the strategies: a pick without an attempt takes no turn.

use doge_rpc_core::call::Request;

use super::fake::{Act, Fake, idempotent, ms, ok};
use crate::{
    balance::LoadBalancing,
    ha::{BackupRequest, Event, Failover, HedgeDelay, Plan, RetryBudget, Strategy},
};

const CALLS: usize = 2_000;

/// Attempts at each of two endpoints in turn, one of which is slow.
async fn attempts(strategy: Strategy, slow: Act, budget: &RetryBudget) -> (Fake, Vec<usize>) {
    let fake = Fake::new([[slow], [ok(5)]])
        .balanced(LoadBalancing::RoundRobin)
        .with_budget(budget);
    let plan = Plan::new(strategy);
    for _ in 0..CALLS {
        let request: Request = idempotent();
        fake.call(&plan, &request).await.unwrap();
    }
    let attempts = fake.attempts();
    (fake, attempts)
}

fn hedging(ratio: f64) -> Strategy {
    Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(ms(20)),
        ratio,
        ..BackupRequest::default()
    })
}

#[tokio::test(start_paused = true)]
async fn a_hedge_without_credit_takes_no_turn() {
    for strategy in [Strategy::default(), hedging(0.0)] {
        let (_, attempts) = attempts(strategy, ok(150), &RetryBudget::default()).await;
        assert_eq!(attempts, [1_000, 1_000]);
    }
}

#[tokio::test(start_paused = true)]
async fn every_turn_is_an_attempt_when_some_calls_are_hedged() {
    let (fake, attempts) = attempts(hedging(0.05), ok(150), &RetryBudget::default()).await;
    // Which endpoint comes first is chance, and so is whether the last credit comes with a slow call, which can use it.
    let hedges = fake.count_of(Event::Hedge);
    assert!((99..=100).contains(&hedges), "{hedges}");
    assert_eq!(attempts.iter().sum::<usize>(), CALLS + hedges);
    assert!(attempts[0].abs_diff(attempts[1]) <= 1, "{attempts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_nobody_pays_for_takes_no_turn() {
    let none = RetryBudget {
        ratio: 0.0,
        min_per_second: 0,
        ..RetryBudget::default()
    };
    let impatient = Failover {
        attempt_timeout: Some(ms(20)),
        ..Failover::default()
    };
    let hedged = BackupRequest {
        delay: HedgeDelay::After(ms(3_600_000)),
        failover: impatient.clone(),
        ..BackupRequest::default()
    };
    for strategy in [
        Strategy::Failover(impatient),
        Strategy::BackupRequest(hedged),
    ] {
        let (fake, attempts) = attempts(strategy, ok(150), &none).await;
        assert_eq!(fake.count_of(Event::Retry), 0);
        assert_eq!(attempts, [1_000, 1_000]);
    }
}
