//! What the backup request of motan-go got wrong.

use super::{
    backup::hedge_after,
    fake::{End, Fake, broken, idempotent, ms, ok},
};
use crate::ha::{BackupRequest, Event, Failover, HedgeDelay, Plan, Strategy};

/// Both attempts, and nothing after them.
fn no_retries() -> Strategy {
    Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(ms(10)),
        ratio: 1.0,
        failover: Failover {
            retries: 0,
            ..Failover::default()
        },
        ..BackupRequest::default()
    })
}

#[tokio::test(start_paused = true)]
async fn defect_a_when_all_have_failed_the_call_ends_and_waits_for_no_deadline() {
    let fake = Fake::new([[broken(12)], [broken(0)]]);
    fake.run(no_retries(), &idempotent()).await.unwrap_err();
    assert_eq!(fake.now(), 12);
}

#[tokio::test(start_paused = true)]
async fn defect_b_a_late_last_error_is_told_as_it_is() {
    let fake = Fake::new([[broken(20)], [broken(300)]]);
    let status = fake.run(no_retries(), &idempotent()).await.unwrap_err();
    assert_eq!(fake.now(), 310);
    assert_eq!(
        status.to_string(),
        "unavailable: after 2 attempts: the connection was lost"
    );
}

#[tokio::test(start_paused = true)]
async fn defect_c_a_backup_that_fails_fast_does_not_end_the_first() {
    let fake = Fake::new([[ok(50)], [broken(0)]]);
    fake.run(no_retries(), &idempotent()).await.unwrap();
    assert_eq!(fake.now(), 50);
}

#[tokio::test(start_paused = true)]
async fn defect_d_losers_are_cancelled() {
    let fake = Fake::new([[ok(50)], [ok(900)]]);
    fake.run(hedge_after(10), &idempotent()).await.unwrap();
    assert_eq!(fake.seen()[1].end, Some(End::Dropped(50)));
    assert_eq!(fake.running(), 0);
}

/// The percentile of all endpoints is what finds one that is slow against the others; one of its own would call its
/// slowness normal.
#[tokio::test(start_paused = true)]
async fn defect_e_a_slow_endpoint_is_measured_by_the_others() {
    let plan = Plan::new(Strategy::BackupRequest(BackupRequest {
        ratio: 0.2,
        ..BackupRequest::default()
    }));
    let quick = Fake::new([[ok(20)], [ok(20)]]);
    let slow = Fake::new([[ok(300)], [ok(20)]]);
    let mut waited = 0;
    for call in 0..1_000 {
        let request = idempotent();
        if call % 50 == 49 {
            let before = slow.now();
            slow.call(&plan, &request).await.unwrap();
            waited = slow.now() - before;
        } else {
            quick.call(&plan, &request).await.unwrap();
        }
    }
    // 20 ms is when the 95th percentile expects an answer, and 20 ms is what the hedge takes.
    assert!((40..=42).contains(&waited), "{waited}");
    assert_eq!(slow.count_of(Event::HedgeWon), 20);
}
