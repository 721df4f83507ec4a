use std::time::Duration;

use doge_rpc_core::{Code, Status};

use super::fake::{
    Act, End, Fake, broken, dead, fails, idempotent, inside_a_retry, ms, ok, once, refused, silent,
    within,
};
use crate::ha::{BackupRequest, Event, Failover, HedgeDelay, Plan, RetryBudget, Strategy};

/// A hedge after so many milliseconds, which every call may have.
pub(super) fn hedge_after(delay: u64) -> Strategy {
    Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(ms(delay)),
        ratio: 1.0,
        failover: Failover {
            longest_pause: Duration::ZERO,
            ..Failover::default()
        },
        ..BackupRequest::default()
    })
}

fn plan(ratio: f64) -> Plan {
    Plan::new(Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(ms(10)),
        ratio,
        ..BackupRequest::default()
    }))
}

#[tokio::test(start_paused = true)]
async fn the_hedge_begins_after_the_delay_elsewhere_and_marked() {
    let fake = Fake::new([[ok(100)], [ok(20)]]);
    fake.run(hedge_after(10), &idempotent()).await.unwrap();
    assert_eq!(fake.now(), 30);
    let [first, hedge] = fake.seen()[..] else {
        panic!("{:?}", fake.seen());
    };
    assert_eq!((first.begun, first.number, first.retry), (0, 0, false));
    assert_eq!((hedge.begun, hedge.number, hedge.retry), (10, 1, true));
    assert_eq!(first.end, Some(End::Dropped(30)));
    assert_eq!(hedge.end, Some(End::Answered(30)));
    let events = [Event::Hedge, Event::HedgeWon, Event::Retry];
    assert_eq!(events.map(|event| fake.count_of(event)), [1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn no_hedge_for_what_answers_before_the_delay() {
    for first in [ok(9), super::fake::application_error(9)] {
        let fake = Fake::new([[first], [ok(0)]]);
        fake.run(hedge_after(10), &idempotent()).await.unwrap();
        assert_eq!((fake.went_to(), fake.now()), (vec![0], 9));
    }
}

#[tokio::test(start_paused = true)]
async fn only_idempotent_calls_outside_of_a_retry_are_hedged() {
    for request in [once(), inside_a_retry(idempotent()), inside_a_retry(once())] {
        let fake = Fake::new([[ok(100)], [ok(0)]]);
        fake.run(hedge_after(10), &request).await.unwrap();
        assert_eq!((fake.went_to(), fake.now()), (vec![0], 100));
    }
    // What failover does for them, it does.
    let fake = Fake::new([[dead(0)], [ok(0)]]);
    fake.run(hedge_after(10), &once()).await.unwrap();
    assert_eq!(fake.went_to(), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn there_is_one_hedge_and_none_sooner_than_a_millisecond() {
    let fake = Fake::new([[ok(50)], [ok(100)], [ok(0)]]);
    fake.run(hedge_after(0), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1], 50));
    assert_eq!(fake.seen()[1].begun, 1);
    assert_eq!(fake.count_of(Event::HedgeWon), 0);
    assert_eq!(fake.seen()[1].end, Some(End::Dropped(50)));
}

#[tokio::test(start_paused = true)]
async fn a_lone_endpoint_is_waited_for_and_no_credit_spent() {
    let fake = Fake::new([[ok(50)]]);
    let plan = plan(0.5);
    for _ in 0..4 {
        fake.call(&plan, &idempotent()).await.unwrap();
    }
    assert_eq!(fake.went_to(), [0, 0, 0, 0]);
    let two = Fake::new([[ok(50)], [ok(20)]]);
    two.call(&plan, &idempotent()).await.unwrap();
    two.call(&plan, &idempotent()).await.unwrap();
    assert_eq!(
        two.count_of(Event::Hedge),
        2,
        "what the first four saved is there"
    );
}

#[tokio::test(start_paused = true)]
async fn a_first_attempt_that_cannot_be_made_moves_on_and_is_hedged_all_the_same() {
    let fake = Fake::new([[dead(2)], [silent()], [dead(1)], [ok(5)]]);
    fake.run(hedge_after(10), &idempotent()).await.unwrap();
    // The hedge is passed on as well: 10 ms, 1 ms lost at the dead one, 5 ms.
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1, 2, 3], 16));
    let marks: Vec<_> = fake
        .seen()
        .iter()
        .map(|seen| (seen.begun, seen.number, seen.retry))
        .collect();
    assert_eq!(
        marks,
        [(0, 0, false), (2, 0, false), (10, 1, true), (11, 1, true)]
    );
    assert_eq!(fake.count_of(Event::Retry), 0);
    assert_eq!(fake.count_of(Event::Hedge), 1);
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_leaves_the_other_running() {
    // The hedge fails; then the first attempt does.
    for hedge in [broken(5), refused(1), dead(5)] {
        let fake = Fake::new([[ok(60)], [hedge]]);
        fake.run(hedge_after(10), &idempotent()).await.unwrap();
        assert_eq!((fake.went_to(), fake.now()), (vec![0, 1], 60));
    }
    for first in [broken(20), dead(20)] {
        let fake = Fake::new([[first], [ok(60)]]);
        fake.run(hedge_after(10), &idempotent()).await.unwrap();
        assert_eq!((fake.went_to(), fake.now()), (vec![0, 1], 70));
        assert_eq!(fake.count_of(Event::HedgeWon), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_answers_at_the_same_time_the_first_attempt_has_it() {
    for _ in 0..20 {
        let fake = Fake::new([[ok(30)], [ok(20)]]);
        fake.run(hedge_after(10), &idempotent()).await.unwrap();
        assert_eq!((fake.now(), fake.count_of(Event::HedgeWon)), (30, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn either_moves_on_for_free_while_the_other_runs() {
    let fake = Fake::new([[dead(20)], [silent()], [ok(5)]]);
    fake.run(hedge_after(10), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1, 2], 25));
    assert!(!fake.seen()[2].retry, "it is the first attempt still");
    let events = [Event::Hedge, Event::HedgeWon, Event::Retry];
    assert_eq!(events.map(|event| fake.count_of(event)), [1, 0, 0]);

    let fake = Fake::new([[silent()], [dead(20)], [ok(5)]]);
    fake.run(hedge_after(10), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1, 2], 35));
    assert!(fake.seen()[2].retry);
    let events = [Event::Hedge, Event::HedgeWon, Event::Retry];
    assert_eq!(events.map(|event| fake.count_of(event)), [1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_after_the_deadline() {
    let mut fake = Fake::new([[dead(60)], [dead(60)], [ok(0)], [ok(0)]]);
    fake.keeps_deadline = true;
    let status = fake
        .run(hedge_after(10), &within(50, &idempotent()))
        .await
        .unwrap_err();
    assert_eq!(fake.went_to(), [0, 1]);
    assert!(status.never_ran());
}

#[tokio::test(start_paused = true)]
async fn a_final_status_of_either_ends_both() {
    let gone = || fails(30, Status::not_found("nobody"));
    for scripts in [[[gone()], [silent()]], [[silent()], [gone()]]] {
        let fake = Fake::new(scripts);
        let status = fake.run(hedge_after(10), &idempotent()).await.unwrap_err();
        assert_eq!(status, Status::not_found("nobody"));
        assert!(fake.now() <= 40);
        assert_eq!(fake.running(), 0);
        let dropped = |end| matches!(end, Some(End::Dropped(_)));
        assert_eq!(
            fake.seen().iter().filter(|seen| dropped(seen.end)).count(),
            1
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_final_status_says_nothing_of_the_other_attempt() {
    let too_large = Status::invalid_argument("too large").not_sent();
    let fake = Fake::new([[silent()], [fails(5, too_large)]]);
    let status = fake.run(hedge_after(10), &idempotent()).await.unwrap_err();
    let expected = Status::invalid_argument("too large").may_have_run();
    assert_eq!(status, expected);
}

#[tokio::test(start_paused = true)]
async fn when_both_failed_failover_goes_on() {
    let fake = Fake::new([[broken(20)], [broken(30)], [ok(5)]]);
    fake.run(hedge_after(10), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1, 2], 45));
    assert_eq!(fake.seen()[2].number, 2);
    assert_eq!(fake.count_of(Event::Retry), 1);

    let empty = RetryBudget {
        ratio: 0.0,
        min_per_second: 0,
        ..RetryBudget::default()
    };
    let fake = Fake::new([[broken(20)], [refused(7)], [ok(5)]]).with_budget(&empty);
    let status = fake.run(hedge_after(10), &idempotent()).await.unwrap_err();
    assert_eq!(
        status.to_string(),
        "unavailable: after 2 attempts, the retry budget is empty: the connection was lost"
    );
    assert_eq!(fake.now(), 20);
}

#[tokio::test(start_paused = true)]
async fn both_are_ended_by_the_deadline() {
    let fake = Fake::new([[silent()], [silent()]]);
    let status = fake
        .run(hedge_after(10), &within(80, &idempotent()))
        .await
        .unwrap_err();
    assert_eq!((status.code(), fake.now()), (Code::DeadlineExceeded, 80));
    assert_eq!((fake.went_to(), fake.running()), (vec![0, 1], 0));

    // A delay past it is no hedge.
    for delay in [80, u64::MAX] {
        let fake = Fake::new([[silent()], [silent()]]);
        fake.run(hedge_after(delay), &within(80, &idempotent()))
            .await
            .unwrap_err();
        assert_eq!((fake.went_to(), fake.now()), (vec![0], 80));
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_the_call_drops_both() {
    let fake = Fake::new([[silent()], [silent()]]);
    let request = idempotent();
    let call = fake.run(hedge_after(10), &request);
    assert!(tokio::time::timeout(ms(50), call).await.is_err());
    let ends: Vec<_> = fake.seen().iter().map(|seen| seen.end).collect();
    assert_eq!(ends, [Some(End::Dropped(50)), Some(End::Dropped(50))]);
}

/// Every call is slow, so that each wants a hedge. Calls begin `apart` milliseconds one after the other.
async fn hedges_of_slow_calls(calls: u64, apart: u64, ratio: f64) -> usize {
    let fake = Fake::new([[ok(40)], [ok(40)]]);
    let plan = plan(ratio);
    let run = async |number: u64| {
        tokio::time::sleep(ms(number * apart)).await;
        let request = idempotent();
        fake.call(&plan, &request).await.unwrap();
    };
    let all: futures_util::stream::FuturesUnordered<_> = (0..calls).map(run).collect();
    futures_util::StreamExt::collect::<Vec<()>>(all).await;
    assert_eq!(
        fake.went_to().len(),
        calls as usize + fake.count_of(Event::Hedge)
    );
    fake.count_of(Event::Hedge)
}

#[tokio::test(start_paused = true)]
async fn the_ratio_is_a_true_one_at_any_rate_of_calls() {
    // One call at a time, every second, every hundredth; ten per millisecond would be all within one delay.
    for apart in [1_000, 100, 10, 1] {
        assert_eq!(
            hedges_of_slow_calls(10_000, apart, 0.05).await,
            500,
            "{apart} ms apart"
        );
    }
    for (calls, ratio, hedges) in [(19, 0.05, 0), (20, 0.05, 1), (10, 0.15, 1), (1_000, 0.0, 0)] {
        assert_eq!(
            hedges_of_slow_calls(calls, 1_000, ratio).await,
            hedges,
            "{calls} at {ratio}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_hedges_no_more_than_was_saved() {
    // 10,000 fast calls would save up 500; then 100 slow ones come at once, of which each saves a part as well.
    let fake = Fake::new([
        vec![ok(1); 10_000]
            .into_iter()
            .chain([ok(40)])
            .collect::<Vec<Act>>(),
        vec![ok(40)],
    ]);
    let plan = plan(0.05);
    let request = within(600_000, &idempotent());
    for _ in 0..10_000 {
        fake.call(&plan, &request).await.unwrap();
    }
    let slow = (0..100).map(|_| fake.call(&plan, &request));
    let slow: futures_util::stream::FuturesUnordered<_> = slow.collect();
    let answers: Vec<_> = futures_util::StreamExt::collect(slow).await;
    assert!(answers.iter().all(Result::is_ok));
    let hedges = fake.count_of(Event::Hedge);
    assert_eq!(
        hedges, 10,
        "a full burst, which the 100 could add nothing to"
    );
}
