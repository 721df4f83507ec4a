use std::time::Duration;

use doge_rpc_core::{Code, Status};

use super::fake::{
    End, Fake, application_error, broken, dead, fails, idempotent, inside_a_retry, ms, ok, once,
    refused, silent, within,
};
use crate::ha::{Event, Failover, RetryBudget, Strategy};

/// Failover whose pauses are nothing, for tests of what goes where.
fn at_once() -> Strategy {
    Strategy::Failover(Failover {
        longest_pause: Duration::ZERO,
        ..Failover::default()
    })
}

fn with_timeout(millis: u64) -> Strategy {
    Strategy::Failover(Failover {
        attempt_timeout: Some(ms(millis)),
        ..Failover::default()
    })
}

const EMPTY: RetryBudget = RetryBudget {
    ratio: 0.0,
    min_per_second: 0,
    ttl: Duration::from_secs(10),
};

#[tokio::test(start_paused = true)]
async fn a_first_attempt_that_answers_is_all() {
    for request in [idempotent(), once()] {
        let fake = Fake::new([[ok(5)], [ok(5)]]);
        let response = fake.run(at_once(), &request).await.unwrap();
        assert_eq!(&response.bytes()[..], b"\x01");
        assert_eq!((fake.went_to(), fake.now()), (vec![0], 5));
        assert_eq!(fake.count_of(Event::Retry), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_application_and_final_statuses_are_answers() {
    let fake = Fake::new([[application_error(1)], [ok(1)]]);
    let response = fake.run(at_once(), &idempotent()).await.unwrap();
    assert!(response.is_application_error());
    assert_eq!(fake.went_to(), [0]);

    for code in [
        Code::Cancelled,
        Code::Unknown,
        Code::InvalidArgument,
        Code::DeadlineExceeded,
        Code::NotFound,
        Code::PermissionDenied,
        Code::ResourceExhausted,
        Code::FailedPrecondition,
        Code::Aborted,
        Code::Unimplemented,
        Code::Internal,
    ] {
        let status = Status::new(code, "as it is");
        let fake = Fake::new([[fails(0, status.clone())], [ok(0)]]);
        assert_eq!(
            fake.run(at_once(), &idempotent()).await.unwrap_err(),
            status
        );
        assert_eq!(fake.went_to(), [0], "{code:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_dead_endpoints_are_passed_over_for_free_and_unmarked() {
    // Far more than there are retries, no budget, not idempotent, inside a retry.
    for request in [once(), inside_a_retry(once()), inside_a_retry(idempotent())] {
        let mut scripts = vec![[dead(0)]; 200];
        scripts.push([ok(0)]);
        let fake = Fake::new(scripts).with_budget(&EMPTY);
        fake.run(at_once(), &request).await.unwrap();
        assert_eq!(fake.went_to(), (0..=200).collect::<Vec<_>>());
        assert!(fake.seen().iter().all(|seen| seen.number == 0));
        let retry = request.attempt().retry;
        assert!(fake.seen().iter().all(|seen| seen.retry == retry));
        assert_eq!(fake.count_of(Event::Retry), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn when_all_are_dead_each_was_asked_once() {
    for request in [once(), idempotent()] {
        let fake = Fake::new(vec![[dead(0)]; 5]);
        let status = fake.run(at_once(), &request).await.unwrap_err();
        assert_eq!(fake.went_to(), [0, 1, 2, 3, 4]);
        assert_eq!(
            status.to_string(),
            "unavailable: after 5 attempts: no connection"
        );
        assert!(status.never_ran());
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_leaves_time_for_another_as_long_as_there_is_one() {
    for act in [dead(10), refused(10)] {
        let fake = Fake::new(vec![[act]; 3]);
        fake.run(at_once(), &idempotent()).await.unwrap_err();
        assert_eq!(fake.were_patient(), [false, false, true]);
    }
    // One that was lost may be asked again.
    let fake = Fake::new([vec![broken(0), ok(0)], vec![dead(0)]]);
    fake.run(at_once(), &idempotent()).await.unwrap();
    assert_eq!(fake.went_to(), [0, 1, 0]);
    assert_eq!(fake.were_patient(), [false, false, true]);

    let fake = Fake::new([[dead(0)]]);
    fake.run(at_once(), &once()).await.unwrap_err();
    assert_eq!(fake.were_patient(), [true]);
}

#[tokio::test(start_paused = true)]
async fn of_those_known_to_be_down_three_are_tried() {
    for request in [once(), idempotent()] {
        let mut fake = Fake::new(vec![[dead(1)]; 1_000]);
        fake.down_from = 0;
        let status = fake.run(at_once(), &request).await.unwrap_err();
        assert_eq!((fake.went_to(), fake.now()), (vec![0, 1, 2], 3));
        assert_eq!(
            status.to_string(),
            "unavailable: after 3 attempts, no other can be reached: no connection"
        );
        assert!(status.never_ran());
    }
    // What was believed to be up does not count, and one that is back is found.
    let mut scripts = vec![[dead(0)]; 10];
    scripts[7] = [ok(0)];
    let mut fake = Fake::new(scripts);
    fake.down_from = 5;
    fake.run(at_once(), &once()).await.unwrap();
    assert_eq!(fake.went_to(), (0..8).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn three_that_are_down_do_not_keep_a_call_from_one_that_broke_off() {
    let mut scripts = vec![vec![dead(0)]; 10];
    scripts[0] = vec![broken(0), ok(0)];
    let mut fake = Fake::new(scripts);
    fake.down_from = 1;
    fake.run(at_once(), &idempotent()).await.unwrap();
    assert_eq!(fake.went_to(), [0, 1, 2, 3, 0]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_has_no_such_method_is_passed_over() {
    let unknown = || fails(0, Status::unimplemented("no method get").rejected());
    for request in [once(), inside_a_retry(once()), idempotent()] {
        let fake = Fake::new([[unknown()], [unknown()], [ok(0)]]).with_budget(&EMPTY);
        fake.run(at_once(), &request).await.unwrap();
        assert_eq!(fake.went_to(), [0, 1, 2]);
        assert!(fake.seen().iter().all(|seen| seen.number == 0));
    }
    // A name that nobody knows is not asked for everywhere.
    let fake = Fake::new(vec![[unknown()]; 10]);
    fake.run(at_once(), &once()).await.unwrap_err();
    assert_eq!(fake.went_to(), [0, 1, 2]);
    // It tells more than that others cannot be reached.
    for scripts in [
        [[unknown()], [unknown()], [unknown()]],
        [[dead(0)], [unknown()], [dead(0)]],
    ] {
        let fake = Fake::new(scripts);
        let status = fake.run(at_once(), &once()).await.unwrap_err();
        assert_eq!(
            status.to_string(),
            "unimplemented: after 3 attempts: no method get"
        );
        assert!(status.never_ran());
    }
    // What a handler says is not that.
    let fake = Fake::new([[fails(0, Status::unimplemented("not on Sundays"))], [ok(0)]]);
    fake.run(at_once(), &idempotent()).await.unwrap_err();
    assert_eq!(fake.went_to(), [0]);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_run_is_retried_only_when_idempotent() {
    let fake = Fake::new([[broken(3)], [ok(0)]]);
    let status = fake.run(at_once(), &once()).await.unwrap_err();
    assert_eq!(status, Status::unavailable("the connection was lost"));
    assert_eq!(fake.went_to(), [0]);

    let fake = Fake::new([[broken(3)], [ok(0)]]);
    fake.run(at_once(), &idempotent()).await.unwrap();
    let marks: Vec<_> = fake
        .seen()
        .iter()
        .map(|seen| (seen.endpoint, seen.number, seen.retry))
        .collect();
    assert_eq!(marks, [(0, 0, false), (1, 1, true)]);
    assert_eq!(fake.count_of(Event::Retry), 1);
}

#[tokio::test(start_paused = true)]
async fn a_retry_inside_a_retry_does_not_happen() {
    let fake = Fake::new([[broken(0)], [ok(0)]]);
    let status = fake
        .run(at_once(), &inside_a_retry(idempotent()))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(fake.went_to(), [0]);

    let fake = Fake::new([[refused(20)], [ok(0)]]);
    let status = fake
        .run(at_once(), &inside_a_retry(once()))
        .await
        .unwrap_err();
    assert_eq!(
        (status.code(), status.pushback()),
        (Code::ResourceExhausted, Some(ms(20)))
    );
    assert_eq!(fake.went_to(), [0]);
    assert_eq!(fake.count_of(Event::BudgetEmpty), 0);
}

#[tokio::test(start_paused = true)]
async fn retries_end_with_their_number_and_say_so() {
    let fake = Fake::new(vec![[broken(0)]; 5]);
    let status = fake.run(at_once(), &idempotent()).await.unwrap_err();
    assert_eq!(fake.went_to(), [0, 1, 2]);
    assert_eq!(
        status.to_string(),
        "unavailable: after 3 attempts: the connection was lost"
    );
    assert!(!status.never_ran());
    let numbers: Vec<_> = fake.seen().iter().map(|seen| seen.number).collect();
    assert_eq!(numbers, [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_allows_no_retry() {
    let fake = Fake::new([[broken(0)], [ok(0)]]).with_budget(&EMPTY);
    let status = fake.run(at_once(), &idempotent()).await.unwrap_err();
    assert_eq!(
        status.to_string(),
        "unavailable: the retry budget is empty: the connection was lost"
    );
    assert_eq!((fake.went_to(), fake.now()), (vec![0], 0));
    assert_eq!(fake.count_of(Event::BudgetEmpty), 1);
    assert_eq!(fake.count_of(Event::Retry), 0);

    let fake = Fake::new([[refused(7)], [ok(0)]]).with_budget(&EMPTY);
    let status = fake.run(at_once(), &once()).await.unwrap_err();
    assert_eq!(
        (status.code(), status.pushback()),
        (Code::ResourceExhausted, Some(ms(7)))
    );
    assert!(status.never_ran());
    assert_eq!(fake.went_to(), [0]);
}

#[tokio::test(start_paused = true)]
async fn retries_pause_by_chance_between_nothing_and_the_growing_longest() {
    fastrand::seed(7);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let fake = Fake::new(vec![[broken(0)]; 3]).with_budget(&RetryBudget {
            min_per_second: 1_000,
            ..RetryBudget::default()
        });
        fake.run(Strategy::default(), &idempotent())
            .await
            .unwrap_err();
        let seen = fake.seen();
        first.push(seen[1].begun - seen[0].begun);
        second.push(seen[2].begun - seen[1].begun);
    }
    // The clock of tokio counts whole milliseconds, and rounds up.
    for (pauses, longest) in [(first, 26), (second, 51)] {
        let mean = pauses.iter().sum::<u64>() / 200;
        assert!(pauses.iter().all(|pause| *pause <= longest), "{pauses:?}");
        assert!(
            (longest * 4 / 10..=longest * 6 / 10).contains(&mean),
            "{mean} of {longest}"
        );
        assert!(pauses.iter().any(|pause| *pause <= 2));
        assert!(pauses.iter().any(|pause| *pause >= longest - 3));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lone_endpoint_is_asked_again_after_a_pause() {
    fastrand::seed(1);
    let fake = Fake::new([[broken(0), broken(0), ok(0)]]);
    fake.run(Strategy::default(), &idempotent()).await.unwrap();
    assert_eq!(fake.went_to(), [0, 0, 0]);
    assert!(fake.now() > 0);
}

#[tokio::test(start_paused = true)]
async fn others_come_before_one_that_was_tried_and_the_dead_do_not_come_again() {
    let fake = Fake::new([vec![broken(0), ok(0)], vec![dead(0)], vec![dead(0)]]);
    fake.run(at_once(), &idempotent()).await.unwrap();
    assert_eq!(fake.went_to(), [0, 1, 2, 0]);
    // The retry that found two dead, and another for going back.
    assert_eq!(fake.count_of(Event::Retry), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_moves_to_another_endpoint_at_once() {
    let fake = Fake::new([[refused(500)], [ok(4)]]);
    fake.run(Strategy::default(), &once()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1], 4));
    assert!(fake.seen()[1].retry);
    assert_eq!(fake.count_of(Event::Retry), 1);
}

#[tokio::test(start_paused = true)]
async fn who_refused_is_not_asked_again_and_the_nearest_pushback_is_told() {
    let patient = Strategy::Failover(Failover {
        retries: 10,
        ..Failover::default()
    });
    let fake = Fake::new([[refused(300)], [refused(100)], [refused(200)]]);
    let status = fake.run(patient.clone(), &idempotent()).await.unwrap_err();
    assert_eq!(fake.went_to(), [0, 1, 2]);
    assert_eq!(status.pushback(), Some(ms(100)));
    assert_eq!(
        status.to_string(),
        "resource exhausted: after 3 attempts: too much to do"
    );
    assert!(status.never_ran());
    assert_eq!(
        fake.count_of(Event::Retry),
        2,
        "nothing is paid for where nobody is left"
    );

    let fake = Fake::new([vec![broken(0), ok(0)], vec![refused(1)]]);
    fake.run(patient, &idempotent()).await.unwrap();
    assert_eq!(fake.went_to(), [0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_does_not_hide_what_happened_before() {
    let fake = Fake::new([[refused(30)], [dead(0)]]);
    let status = fake.run(at_once(), &once()).await.unwrap_err();
    assert_eq!(
        (status.code(), status.pushback()),
        (Code::ResourceExhausted, Some(ms(30)))
    );
    assert!(status.never_ran());

    let one = Strategy::Failover(Failover {
        retries: 1,
        ..Failover::default()
    });
    let fake = Fake::new([[broken(0)], [dead(0)]]);
    let status = fake.run(one, &idempotent()).await.unwrap_err();
    assert!(
        status.message().ends_with("the connection was lost"),
        "{status}"
    );
    assert!(!status.never_ran());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_have_run_once_never_says_it_did_not() {
    let too_large = Status::invalid_argument("too large").not_sent();
    let fake = Fake::new([[broken(0)], [fails(0, too_large)]]);
    let status = fake.run(at_once(), &idempotent()).await.unwrap_err();
    let expected = Status::invalid_argument("too large").may_have_run();
    assert_eq!(status, expected);

    let fake = Fake::new([[broken(0)], [refused(9)]]).with_budget(&RetryBudget {
        ratio: 1.0,
        ..EMPTY
    });
    let status = fake.run(at_once(), &idempotent()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(!status.never_ran());
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_deadline_whatever_an_endpoint_does() {
    for strategy in [Strategy::default(), with_timeout(400), Strategy::Failfast] {
        let fake = Fake::new([[silent()], [silent()]]);
        let status = fake
            .run(strategy, &within(900, &idempotent()))
            .await
            .unwrap_err();
        assert_eq!((status.code(), fake.now()), (Code::DeadlineExceeded, 900));
        assert!(!status.never_ran());
        assert_eq!(fake.running(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_would_outlast_the_deadline_is_not_made() {
    let slow = Strategy::Failover(Failover {
        first_pause: Duration::from_secs(3_600),
        longest_pause: Duration::from_secs(3_600),
        ..Failover::default()
    });
    let fake = Fake::new([[broken(10)], [ok(0)]]);
    let status = fake.run(slow, &idempotent()).await.unwrap_err();
    assert_eq!(
        status.to_string(),
        "unavailable: no time is left for another: the connection was lost"
    );
    assert_eq!((fake.went_to(), fake.now()), (vec![0], 10));
    assert_eq!(
        fake.count_of(Event::Retry),
        0,
        "what does not happen is not paid for"
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_after_the_deadline() {
    let mut fake = Fake::new([[dead(50)], [dead(50)], [dead(50)], [ok(0)]]);
    fake.keeps_deadline = true;
    let status = fake
        .run(at_once(), &within(100, &once()))
        .await
        .unwrap_err();
    assert_eq!(fake.went_to(), [0, 1]);
    assert!(status.never_ran());
    assert!(status.message().contains("no time is left"), "{status}");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_makes_room_for_another() {
    let fake = Fake::new([[silent()], [ok(30)]]);
    fake.run(with_timeout(100), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1], 130));
    assert_eq!(fake.seen()[0].end, Some(End::Dropped(100)));
    assert!(fake.seen()[1].retry);
    assert_eq!(fake.timed_out_at(), [0], "health hears of it");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_took_too_long_says_which_and_where() {
    let fake = Fake::new([[silent()], [dead(0)]]);
    let strategy = Strategy::Failover(Failover {
        attempt_timeout: Some(ms(100)),
        retries: 1,
        ..Failover::default()
    });
    let status = fake.run(strategy, &idempotent()).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let text = "fake/get at memory://fake: no answer within 100ms, which is all that an attempt gets \
                (Failover::attempt_timeout)";
    assert!(status.message().ends_with(text), "{status}");
}

#[tokio::test(start_paused = true)]
async fn no_attempt_is_cut_short_unless_another_can_follow() {
    let slow = || Fake::new([[ok(150)], [ok(150)], [ok(150)]]);
    // Not idempotent, inside a retry, without a budget, the last one.
    let fake = slow();
    fake.run(with_timeout(100), &once()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0], 150));

    let fake = slow();
    fake.run(with_timeout(100), &inside_a_retry(idempotent()))
        .await
        .unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0], 150));

    let fake = slow().with_budget(&EMPTY);
    fake.run(with_timeout(100), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0], 150));

    let fake = slow();
    fake.run(with_timeout(100), &idempotent()).await.unwrap();
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1, 2], 350));
}

#[tokio::test(start_paused = true)]
async fn without_endpoints_there_is_a_status_that_says_so() {
    let none: [[_; 1]; 0] = [];
    for strategy in [Strategy::default(), Strategy::Failfast, Strategy::Broadcast] {
        let status = Fake::new(none.clone())
            .run(strategy, &once())
            .await
            .unwrap_err();
        assert_eq!(
            status.to_string(),
            "unavailable: no instance of fake is registered"
        );
        assert!(status.never_ran());
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_the_call_drops_its_attempt() {
    for script in [vec![silent()], vec![broken(10), silent()]] {
        let fake = Fake::new([script]);
        let request = idempotent();
        let call = fake.run(at_once(), &request);
        assert!(tokio::time::timeout(ms(50), call).await.is_err());
        assert_eq!(fake.running(), 0);
        assert_eq!(fake.seen().last().unwrap().end, Some(End::Dropped(50)));
    }
}
