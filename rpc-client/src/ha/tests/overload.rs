use futures_util::{StreamExt as _, stream::FuturesUnordered};

use super::fake::{Fake, broken, idempotent, ms, ok, refused, within};
use crate::ha::{Event, Failover, Plan, Strategy};

/// Calls at a steady rate for a minute, to endpoints that do nothing but fail; attempts on top of the calls.
async fn extra_in_a_minute(per_second: u64, strategy: Strategy, fake: &Fake) -> (u64, u64) {
    let plan = Plan::new(strategy);
    let calls = per_second * 60;
    let run = async |number: u64| {
        tokio::time::sleep(ms(number * 1_000 / per_second)).await;
        fake.call(&plan, &idempotent()).await.unwrap_err();
    };
    let all: FuturesUnordered<_> = (0..calls).map(run).collect();
    all.collect::<Vec<()>>().await;
    let extra = fake.went_to().len() as u64 - calls;
    assert_eq!(extra, fake.count_of(Event::Retry) as u64);
    // Retries of the last calls come in the next minute, and are of its budget.
    let seen = fake.seen();
    let in_time = seen.iter().filter(|seen| seen.retry && seen.begun < 60_000);
    (calls, in_time.count() as u64)
}

#[tokio::test(start_paused = true)]
async fn when_all_fails_retries_add_a_fifth_and_ten_per_second() {
    fastrand::seed(3);
    for per_second in [1, 5, 50, 500] {
        let fake = Fake::new(vec![[broken(2)]; 3]);
        let (calls, extra) = extra_in_a_minute(per_second, Strategy::default(), &fake).await;
        let most = (calls / 5 + 600).min(2 * calls);
        assert!(extra <= most, "{extra} of {most} on {calls} calls");
        assert!(
            extra * 10 >= most * 8,
            "{extra} of {most} on {calls} calls: the budget is used"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn overload_costs_no_more() {
    let fake = Fake::new(vec![[refused(10)]; 5]);
    let patient = Strategy::Failover(Failover {
        retries: 100,
        ..Failover::default()
    });
    let (calls, extra) = extra_in_a_minute(200, patient, &fake).await;
    assert!(extra <= calls / 5 + 600, "{extra} on {calls} calls");
}

#[tokio::test(start_paused = true)]
async fn the_budget_fills_again_after_the_failure() {
    let fake = Fake::new([vec![broken(0); 3_000], vec![ok(0)]]);
    let request = within(600_000, &idempotent());
    let plan = Plan::new(Strategy::Failover(Failover {
        retries: 1,
        longest_pause: ms(0),
        ..Failover::default()
    }));
    let mut failed = 0;
    for _ in 0..1_000 {
        failed += u32::from(fake.call(&plan, &request).await.is_err());
    }
    // 100 in reserve; after n calls, n / 5 more: 125 calls.
    assert_eq!(failed, 1_000 - 300);
    tokio::time::advance(ms(10_000)).await;
    for _ in 0..100 {
        fake.call(&plan, &request).await.unwrap();
    }
}
