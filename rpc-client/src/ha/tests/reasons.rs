//! Why an attempt was given up, which its server is told.

use doge_rpc_core::{Status, call::CancelReason};

use super::{
    backup::hedge_after,
    fake::{Fake, fails, idempotent, ms, ok, silent, within},
};
use crate::ha::{BackupRequest, Failover, Strategy};

#[tokio::test(start_paused = true)]
async fn the_loser_of_a_race_is_given_up_because_another_attempt_answered() {
    // The hedge wins, the first attempt wins, and one says what holds for both.
    let said = || fails(5, Status::not_found("nobody"));
    for (first, hedge, loser) in [
        (silent(), ok(5), 0),
        (ok(20), silent(), 1),
        (silent(), said(), 0),
    ] {
        let fake = Fake::new([[first], [hedge]]);
        let _ = fake.run(hedge_after(10), &idempotent()).await;
        assert_eq!(fake.given_up(), [(loser, CancelReason::HedgeLost)]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_a_retry_replaces_has_taken_too_long() {
    let failover = Failover {
        attempt_timeout: Some(ms(50)),
        ..Failover::default()
    };
    let hedged = BackupRequest {
        failover: failover.clone(),
        delay: crate::ha::HedgeDelay::After(ms(500)),
        ratio: 1.0,
        ..BackupRequest::default()
    };
    for strategy in [
        Strategy::Failover(failover),
        Strategy::BackupRequest(hedged),
    ] {
        let fake = Fake::new([[silent()], [ok(0)]]);
        fake.run(strategy, &idempotent()).await.unwrap();
        assert_eq!(fake.given_up(), [(0, CancelReason::AttemptTimeout)]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_lasts_until_the_deadline_is_given_up_for_that() {
    let fake = Fake::new([[silent()]]);
    let request = within(20, &idempotent());
    let ended = fake.run(Strategy::Failfast, &request).await;
    ended.unwrap_err();
    assert_eq!(fake.given_up(), [(0, CancelReason::Deadline)]);
}

#[tokio::test(start_paused = true)]
async fn what_the_caller_drops_is_given_up_by_the_caller() {
    let fake = Fake::new([[silent()], [silent()]]);
    let request = idempotent();
    let call = fake.run(hedge_after(10), &request);
    let ended = tokio::time::timeout(ms(20), call).await;
    ended.unwrap_err();
    let gone = CancelReason::CallerGone;
    let mut given_up = fake.given_up();
    given_up.sort_by_key(|(endpoint, _)| *endpoint);
    assert_eq!(given_up, [(0, gone), (1, gone)]);
}
