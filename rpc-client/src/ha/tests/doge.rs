//! What doge's backup request and failover got wrong, with the numbers of its cases.

use doge_rpc_core::Code;

use super::{
    backup::hedge_after,
    fake::{End, Fake, application_error, fails, idempotent, ms, ok, within},
};
use crate::ha::{BackupRequest, Event, Failover, HedgeDelay, Plan, Strategy};

fn without_credit(delay: u64) -> Strategy {
    Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(ms(delay)),
        ratio: 0.0,
        ..BackupRequest::default()
    })
}

#[tokio::test(start_paused = true)]
async fn defect_01_two_replicas_at_25_ms_answer_at_25_ms() {
    let fake = Fake::new([[ok(25)], [ok(25)]]);
    fake.run(hedge_after(10), &idempotent()).await.unwrap();
    assert_eq!((fake.now(), fake.count_of(Event::Hedge)), (25, 1));
}

#[tokio::test(start_paused = true)]
async fn defect_01_a_first_attempt_that_ends_during_the_backup_is_heard() {
    let fake = Fake::new([[ok(15)], [ok(200)]]);
    fake.run(hedge_after(10), &idempotent()).await.unwrap();
    assert_eq!(fake.now(), 15);
}

#[tokio::test(start_paused = true)]
async fn defect_01_a_lone_endpoint_at_25_ms_answers_at_25_ms() {
    let fake = Fake::new([[ok(25)]]);
    fake.run(hedge_after(10), &idempotent()).await.unwrap();
    assert_eq!(fake.now(), 25);
}

#[tokio::test(start_paused = true)]
async fn defect_02_without_budget_the_first_attempt_is_waited_for() {
    let fake = Fake::new([[ok(15)], [ok(15)]]);
    fake.run(without_credit(10), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0], 15));
}

#[tokio::test(start_paused = true)]
async fn defect_02_healthy_nodes_fail_no_call() {
    fastrand::seed(2);
    for nodes in 1..=3 {
        let script = || {
            let latency = |_| match fastrand::u32(0..10) {
                0 => ok(fastrand::u64(80..=100)),
                _ => ok(fastrand::u64(20..=40)),
            };
            (0..1_000).map(latency).collect::<Vec<_>>()
        };
        let fake = Fake::new((0..nodes).map(|_| script()).collect::<Vec<_>>());
        let plan = Plan::new(Strategy::BackupRequest(BackupRequest {
            delay: HedgeDelay::Percentile(90.0),
            ratio: 0.15,
            ..BackupRequest::default()
        }));
        for _ in 0..400 {
            let request = idempotent();
            fake.call(&plan, &request).await.unwrap();
        }
        assert!(fake.count_of(Event::Hedge) <= 60, "15 % of 400");
        assert_eq!(fake.count_of(Event::Hedge) > 0, nodes > 1);
    }
}

#[tokio::test(start_paused = true)]
async fn defect_03_a_limit_of_30_ms_is_kept() {
    let fake = Fake::new([[ok(131)], [ok(131)]]);
    let status = fake
        .run(hedge_after(10), &within(30, &idempotent()))
        .await
        .unwrap_err();
    assert_eq!((status.code(), fake.now()), (Code::DeadlineExceeded, 30));
}

#[tokio::test(start_paused = true)]
async fn defect_03_an_error_stays_what_it_is_and_is_not_hedged() {
    let fake = Fake::new([[application_error(5)], [ok(0)]]);
    let response = fake.run(hedge_after(10), &idempotent()).await.unwrap();
    assert!(response.is_application_error());
    assert_eq!((fake.went_to(), fake.now()), (vec![0], 5));

    let denied = doge_rpc_core::Status::permission_denied("not yours");
    let fake = Fake::new([[fails(5, denied.clone())], [ok(0)]]);
    let status = fake.run(hedge_after(10), &idempotent()).await.unwrap_err();
    assert_eq!(status, denied);
    assert_eq!((fake.went_to(), fake.now()), (vec![0], 5));
}

#[tokio::test(start_paused = true)]
async fn defect_04_fifteen_per_cent_of_ten_calls_is_one_hedge() {
    let fake = Fake::new([[ok(25)], [ok(25)]]);
    let plan = Plan::new(Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(ms(10)),
        ratio: 0.15,
        ..BackupRequest::default()
    }));
    for _ in 0..10 {
        let request = idempotent();
        fake.call(&plan, &request).await.unwrap();
    }
    assert_eq!(fake.count_of(Event::Hedge), 1);
}

#[tokio::test(start_paused = true)]
async fn defect_04_the_loser_is_cancelled() {
    let fake = Fake::new([[ok(500)], [ok(5)]]);
    fake.run(hedge_after(10), &idempotent()).await.unwrap();
    assert_eq!(fake.seen()[0].end, Some(End::Dropped(15)));
}

/// Not of the backup request: failover called the same node again, and again for errors of the application.
#[tokio::test(start_paused = true)]
async fn failover_leaves_errors_of_the_application_and_tried_nodes_alone() {
    let strategy = Strategy::Failover(Failover::default());
    let fake = Fake::new([[application_error(0)], [ok(0)]]);
    let response = fake.run(strategy.clone(), &idempotent()).await.unwrap();
    assert!(response.is_application_error());
    assert_eq!(fake.went_to(), [0]);

    let fake = Fake::new([[super::fake::broken(0)], [super::fake::broken(0)], [ok(0)]]);
    fake.run(strategy, &idempotent()).await.unwrap();
    assert_eq!(fake.went_to(), [0, 1, 2]);
}
