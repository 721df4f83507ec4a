use bytes::Bytes;
use doge_rpc_core::{Code, Status};
use tokio::time::Instant;

use super::fake::{Fake, application_error, broken, dead, fails, idempotent, ok, refused, silent};
use crate::ha::{BackupRequest, Event, Failsafe, HedgeDelay, Plan, RetryBudget, Strategy};

fn failsafe() -> Strategy {
    Strategy::Failsafe(Failsafe::default())
}

#[tokio::test(start_paused = true)]
async fn failfast_makes_one_attempt() {
    for act in [broken(0), dead(0), refused(1)] {
        let fake = Fake::new([[act], [ok(0)]]);
        fake.run(Strategy::Failfast, &idempotent())
            .await
            .unwrap_err();
        assert_eq!(fake.went_to(), [0]);
        assert_eq!(fake.were_patient(), [true], "nobody else needs the time");
    }
    let fake = Fake::new([[fails(3, Status::not_found("nobody"))]]);
    let status = fake
        .run(Strategy::Failfast, &idempotent())
        .await
        .unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, "nobody")
    );
}

#[tokio::test(start_paused = true)]
async fn failsafe_answers_for_what_fails_and_tries_nothing_else() {
    for act in [broken(0), dead(0), refused(1), silent()] {
        let fake = Fake::new([[act], [ok(0)]]);
        let response = fake.run(failsafe(), &idempotent()).await.unwrap();
        assert_eq!(response.decode::<(), Status>(&route()), Ok(()));
        assert_eq!(response.decode::<Option<u32>, Status>(&route()), Ok(None));
        assert_eq!(fake.went_to(), [0]);
        assert_eq!(fake.were_patient(), [true], "nobody else needs the time");
    }
    let none: [[_; 1]; 0] = [];
    let own = Strategy::Failsafe(Failsafe {
        answer: Bytes::from_static(b"\x90"),
    });
    let response = Fake::new(none).run(own, &idempotent()).await.unwrap();
    assert_eq!(
        response.decode::<Vec<u32>, Status>(&route()),
        Ok(Vec::new())
    );
}

#[tokio::test(start_paused = true)]
async fn failsafe_passes_answers_on_errors_of_the_application_too() {
    let fake = Fake::new([[ok(0)]]);
    let response = fake.run(failsafe(), &idempotent()).await.unwrap();
    assert_eq!(&response.bytes()[..], b"\x01");
    let fake = Fake::new([[application_error(0)]]);
    let response = fake.run(failsafe(), &idempotent()).await.unwrap();
    assert!(response.is_application_error());
    assert_eq!(&response.bytes()[..], b"\x02");
}

#[tokio::test(start_paused = true)]
async fn a_call_saves_up_once_however_often_it_runs() {
    let none: [[_; 1]; 0] = [];
    let fake = Fake::new(none).with_budget(&RetryBudget {
        ratio: 0.5,
        min_per_second: 0,
        ..RetryBudget::default()
    });
    for plan in [Strategy::default(), failsafe()].map(Plan::new) {
        plan.begin(&idempotent(), &fake.budget, Instant::now());
        for _ in 0..100 {
            let _ = plan.run(&fake, &idempotent(), &fake.budget).await;
        }
    }
    let now = tokio::time::Instant::now();
    assert!(
        fake.budget.withdraw(now),
        "half a retry for each of two calls"
    );
    assert!(!fake.budget.withdraw(now));

    let fake = Fake::new([[ok(50)], [ok(0)]]);
    let plan = Plan::new(Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(std::time::Duration::from_millis(10)),
        ratio: 0.1,
        ..BackupRequest::default()
    }));
    plan.begin(&idempotent(), &fake.budget, Instant::now());
    for _ in 0..100 {
        plan.run(&fake, &idempotent(), &fake.budget).await.unwrap();
    }
    assert_eq!(fake.count_of(Event::Hedge), 0, "a tenth of a hedge");
}

fn route() -> doge_rpc_core::call::Route {
    doge_rpc_core::call::Route::named("fake", "get").unwrap()
}
