//! The first attempt and its hedge, when one of them fails, hangs, or could go where it should not.

use doge_rpc_core::{Code, Status};

use super::{
    backup::hedge_after,
    fake::{
        Act, End, Fake, application_error, broken, dead, fails, idempotent, ms, ok, once, refused,
        silent, within,
    },
};
use crate::ha::{BackupRequest, Event, Failover, HedgeDelay, RetryBudget, Strategy};

/// What an attempt may fail with that says nothing of how another one ends.
fn failures_of_one() -> Vec<Status> {
    vec![
        Status::internal("a bug"),
        Status::unknown("who knows"),
        Status::data_loss("a bad disk"),
        Status::cancelled("shut down"),
        Status::deadline_exceeded("too slow"),
        Status::resource_exhausted("a limit of its own"),
        Status::unimplemented("an old version").rejected(),
        Status::unavailable("lost"),
        Status::unavailable("dead").not_sent(),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_one_leaves_the_call_to_the_other() {
    for status in failures_of_one() {
        let failing = || fails(15, status.clone());
        let fake = Fake::new([[ok(60)], [failing()]]);
        fake.run(hedge_after(10), &idempotent()).await.unwrap();
        assert_eq!((fake.went_to(), fake.now()), (vec![0, 1], 60), "{status}");

        let fake = Fake::new([[failing()], [ok(60)]]);
        fake.run(hedge_after(10), &idempotent()).await.unwrap();
        assert_eq!((fake.went_to(), fake.now()), (vec![0, 1], 70), "{status}");
        assert_eq!(fake.count_of(Event::HedgeWon), 1);

        let fake = Fake::new([[failing()], [application_error(60)]]);
        let answer = fake.run(hedge_after(10), &idempotent()).await.unwrap();
        assert!(answer.is_application_error(), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_endpoint_says_of_the_call_itself_ends_it_at_once() {
    for code in [
        Code::InvalidArgument,
        Code::NotFound,
        Code::AlreadyExists,
        Code::PermissionDenied,
        Code::Unauthenticated,
        Code::FailedPrecondition,
        Code::Aborted,
        Code::OutOfRange,
        Code::Unimplemented,
    ] {
        let said = Status::new(code, "as it is");
        let fake = Fake::new([[silent()], [fails(5, said.clone())]]);
        let status = fake.run(hedge_after(10), &idempotent()).await.unwrap_err();
        assert_eq!((status, fake.now()), (said, 15));
        assert_eq!(fake.seen()[0].end, Some(End::Dropped(15)));
    }
    // Also after the other has failed.
    let fake = Fake::new([
        [fails(20, Status::not_found("nobody"))],
        [fails(5, Status::internal("a bug"))],
    ]);
    let status = fake.run(hedge_after(10), &idempotent()).await.unwrap_err();
    assert_eq!((status, fake.now()), (Status::not_found("nobody"), 20));
}

#[tokio::test(start_paused = true)]
async fn of_two_failures_the_more_telling_is_that_of_the_call() {
    let internal = || Status::internal("a bug");
    let cases: [(Act, Act, &str); 6] = [
        (broken(30), fails(5, internal()), "internal error: a bug"),
        (dead(30), fails(5, internal()), "internal error: a bug"),
        (refused(30), fails(50, internal()), "internal error: a bug"),
        (
            fails(30, Status::unknown("who knows")),
            fails(5, internal()),
            "internal error: a bug",
        ),
        (
            fails(30, Status::cancelled("shut down")),
            fails(5, Status::deadline_exceeded("too slow")),
            "deadline exceeded: after 2 attempts: too slow",
        ),
        (
            fails(30, internal()),
            fails(5, Status::cancelled("shut down")),
            "internal error: a bug",
        ),
    ];
    for (first, hedge, expected) in cases {
        let fake = Fake::new([[first], [hedge], [ok(0)]]);
        let status = fake.run(hedge_after(10), &idempotent()).await.unwrap_err();
        let said = status.to_string();
        assert_eq!(said, expected);
        if !fake.went_to().contains(&2) {
            assert_eq!(
                fake.went_to(),
                [0, 1],
                "a call that has failed begins nothing new"
            );
        }
        assert!(!status.never_ran(), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_of_which_one_attempt_may_have_run_does_not_say_that_it_did_not() {
    let never = |status: Status| status.rejected();
    // Kept back, and the other ran.
    let fake = Fake::new([
        [fails(30, Status::cancelled("shut down"))],
        [fails(5, never(Status::internal("no room")))],
    ]);
    let status = fake.run(hedge_after(10), &idempotent()).await.unwrap_err();
    assert_eq!(status.message(), "no room");
    assert!(!status.never_ran());

    // At the deadline, when the other is still out.
    let mut fake = Fake::new([
        [ok(1_000)],
        [fails(40, never(Status::deadline_exceeded("no room")))],
    ]);
    fake.keeps_deadline = true;
    let status = fake
        .run(hedge_after(10), &within(50, &idempotent()))
        .await
        .unwrap_err();
    assert_eq!((status.code(), fake.now()), (Code::DeadlineExceeded, 50));
    assert!(!status.never_ran(), "the first attempt was out");

    // Neither ran.
    let fake = Fake::new([
        [fails(30, never(Status::internal("no room")))],
        [fails(5, never(Status::internal("no room")))],
    ]);
    let status = fake.run(hedge_after(10), &idempotent()).await.unwrap_err();
    assert!(status.never_ran());
}

#[tokio::test(start_paused = true)]
async fn a_hedge_goes_only_where_hedges_may_and_the_first_attempt_anywhere() {
    let mut fake = Fake::new([[ok(50)], [ok(0)], [dead(1)], [ok(20)]]);
    fake.no_hedges = vec![1];
    fake.run(hedge_after(10), &idempotent()).await.unwrap();
    // Nor does a hedge that moves on.
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 2, 3], 31));

    let mut fake = Fake::new([[ok(50)], [ok(0)]]);
    fake.no_hedges = vec![1];
    fake.run(hedge_after(10), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0], 50));
    assert_eq!(
        fake.count_of(Event::BudgetEmpty),
        0,
        "there was no hedge to pay for"
    );

    let mut fake = Fake::new([[dead(5)], [ok(2)]]);
    fake.no_hedges = vec![1];
    fake.run(hedge_after(10), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1], 7));
}

#[tokio::test(start_paused = true)]
async fn a_hedge_that_the_ratio_forbids_is_counted() {
    let fake = Fake::new([[ok(30)], [ok(0)]]);
    let strategy = Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(ms(10)),
        ratio: 0.0,
        ..BackupRequest::default()
    });
    for _ in 0..5 {
        fake.run(strategy.clone(), &idempotent()).await.unwrap();
    }
    assert_eq!(fake.count_of(Event::BudgetEmpty), 5);
    assert_eq!(fake.count_of(Event::Hedge), 0);
}

fn with_timeout(delay: u64, timeout: u64) -> Strategy {
    Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(ms(delay)),
        ratio: 1.0,
        failover: Failover {
            attempt_timeout: Some(ms(timeout)),
            ..Failover::default()
        },
        ..BackupRequest::default()
    })
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_replaced_in_a_race_too() {
    // The first is, by one of two retries; then the hedge is, which began later.
    let fake = Fake::new([[silent()], [silent()], [silent()], [ok(3)]]);
    fake.run(with_timeout(10, 50), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1, 2, 3], 63));
    assert_eq!(fake.timed_out_at(), [0, 1], "health hears of it");
    let seen = fake.seen();
    let marks: Vec<_> = seen
        .iter()
        .map(|it| (it.begun, it.number, it.retry))
        .collect();
    assert_eq!(
        marks,
        [(0, 0, false), (10, 1, true), (50, 2, true), (60, 3, true)]
    );
    let ends: Vec<_> = seen.iter().map(|it| it.end).collect();
    assert_eq!(ends[..2], [Some(End::Dropped(50)), Some(End::Dropped(60))]);
    assert_eq!(fake.count_of(Event::Retry), 2);

    // No sooner than it should, and before the hedge if that is due later: a retry is not hedged.
    let fake = Fake::new([[silent()], [ok(40)], [ok(0)]]);
    fake.run(with_timeout(60, 50), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1], 90));
    assert_eq!(fake.count_of(Event::Hedge), 0);
}

#[tokio::test(start_paused = true)]
async fn a_replaced_attempt_goes_where_none_is_out() {
    let fake = Fake::new([vec![silent(), ok(5)], vec![silent()]]);
    fake.run(with_timeout(10, 50), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1, 0], 55));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_no_retry_can_follow_goes_on() {
    let empty = RetryBudget {
        ratio: 0.0,
        min_per_second: 0,
        ..RetryBudget::default()
    };
    let fake = Fake::new([[ok(90)], [ok(200)], [ok(0)]]).with_budget(&empty);
    fake.run(with_timeout(10, 50), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1], 90));
    assert_eq!(fake.count_of(Event::BudgetEmpty), 2);

    // Then it is hedged all the same, when that is due, and not where it is itself.
    let fake = Fake::new([[ok(90)], [ok(10)]]).with_budget(&empty);
    fake.run(with_timeout(60, 50), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1], 70));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_not_run_twice_has_no_limit_for_an_attempt() {
    let fake = Fake::new([[ok(90)], [ok(0)]]);
    fake.run(with_timeout(10, 50), &once()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0], 90));
}

#[tokio::test(start_paused = true)]
async fn a_hedge_at_instances_without_the_method_fails_no_call() {
    let strange = || fails(5, Status::unimplemented("old").rejected());
    let fake = Fake::new([[ok(60)], [strange()], [strange()], [strange()]]);
    let answer = fake.run(hedge_after(10), &idempotent()).await;
    assert!(
        answer.is_ok(),
        "{answer:?} at {} {:?}",
        fake.now(),
        fake.seen()
    );
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_not_given_up_for_an_endpoint_that_is_down() {
    let config = Failover {
        retries: 1,
        attempt_timeout: Some(ms(50)),
        ..Failover::default()
    };
    let mut fake = Fake::new([[ok(80)], [dead(0)]]);
    fake.down_from = 1;
    let answer = fake.run(Strategy::Failover(config), &idempotent()).await;
    assert!(
        answer.is_ok(),
        "{answer:?} at {} {:?}",
        fake.now(),
        fake.seen()
    );
}
