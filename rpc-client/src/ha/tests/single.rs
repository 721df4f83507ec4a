use bytes::Bytes;
use doge_rpc_core::{Code, Status};

use super::fake::{Fake, application_error, broken, dead, fails, idempotent, ok, refused, silent};
use crate::ha::{Failsafe, Strategy};

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
        assert_eq!(response.decode::<(), Status>(), Ok(()));
        assert_eq!(response.decode::<Option<u32>, Status>(), Ok(None));
        assert_eq!(fake.went_to(), [0]);
    }
    let none: [[_; 1]; 0] = [];
    let own = Strategy::Failsafe(Failsafe {
        answer: Bytes::from_static(b"\x90"),
    });
    let response = Fake::new(none).run(own, &idempotent()).await.unwrap();
    assert_eq!(response.decode::<Vec<u32>, Status>(), Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn failsafe_passes_answers_on_errors_of_the_application_too() {
    let fake = Fake::new([[ok(0)]]);
    let response = fake.run(failsafe(), &idempotent()).await.unwrap();
    assert_eq!(&response.body()[..], b"\x01");
    let fake = Fake::new([[application_error(0)]]);
    let response = fake.run(failsafe(), &idempotent()).await.unwrap();
    assert!(response.is_application_error());
    assert_eq!(&response.body()[..], b"\x02");
}
