use doge_rpc_core::Code;

use super::fake::{
    End, Fake, application_error, broken, dead, idempotent, ms, ok, once, silent, within,
};
use crate::ha::{Plan, Strategy};

#[tokio::test(start_paused = true)]
async fn every_endpoint_is_asked_once_and_all_is_told_in_order() {
    let fake = Fake::new([[ok(30)], [broken(10)], [dead(20)], [application_error(0)]]);
    let answers = Plan::broadcast(&fake, &once()).await;
    let endpoints: Vec<_> = answers.iter().map(|(endpoint, _)| *endpoint).collect();
    assert_eq!(endpoints, [0, 1, 2, 3]);
    let well: Vec<_> = answers.iter().map(|(_, answer)| answer.is_ok()).collect();
    assert_eq!(well, [true, false, false, true]);
    assert_eq!((fake.went_to(), fake.now()), (vec![0, 1, 2, 3], 30));
    assert_eq!(
        fake.were_patient(),
        [true; 4],
        "none needs the time of another"
    );
}

#[tokio::test(start_paused = true)]
async fn sixty_four_are_asked_at_once() {
    let fake = Fake::new(vec![[ok(10)]; 130]);
    let answers = Plan::broadcast(&fake, &once()).await;
    assert_eq!((answers.len(), fake.now()), (130, 30));
    let begun_at = |at| fake.seen().iter().filter(|seen| seen.begun == at).count();
    assert_eq!([begun_at(0), begun_at(10), begun_at(20)], [64, 64, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_endpoint_does_not_hold_up_the_others() {
    let mut scripts = vec![[ok(10)]; 128];
    scripts[0] = [ok(500)];
    let fake = Fake::new(scripts);
    Plan::broadcast(&fake, &once()).await;
    let last = fake.seen().iter().map(|seen| seen.begun).max().unwrap();
    assert!(last <= 20, "{last}");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_those_that_run_and_spares_those_that_wait() {
    let fake = Fake::new(vec![[silent()]; 65]);
    let answers = Plan::broadcast(&fake, &within(200, &once())).await;
    assert_eq!(fake.now(), 200);
    assert_eq!(fake.went_to().len(), 64);
    for (endpoint, answer) in answers {
        let status = answer.unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded);
        assert_eq!(status.never_ran(), endpoint == 64);
        let text = status.message();
        assert!(text.starts_with("fake/add at memory://fake: "), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn as_a_strategy_the_first_failure_is_the_answer() {
    let fake = Fake::new([[ok(0)], [dead(20)], [broken(0)]]);
    let status = fake
        .run(Strategy::Broadcast, &idempotent())
        .await
        .unwrap_err();
    assert_eq!(
        status.to_string(),
        "unavailable: at one of 3 endpoints: no connection"
    );
    assert!(!status.never_ran(), "it ran at the others");
    assert_eq!(fake.now(), 20);

    let fake = Fake::new([[dead(0)], [dead(0)]]);
    let status = fake.run(Strategy::Broadcast, &once()).await.unwrap_err();
    assert!(status.never_ran());

    let fake = Fake::new([[ok(0)], [application_error(0)], [dead(0)]]);
    let response = fake.run(Strategy::Broadcast, &once()).await.unwrap();
    assert!(response.is_application_error());

    let fake = Fake::new([[ok(9)], [ok(0)]]);
    let response = fake.run(Strategy::Broadcast, &once()).await.unwrap();
    assert_eq!((&response.bytes()[..], fake.now()), (&b"\x01"[..], 9));
}

#[tokio::test(start_paused = true)]
async fn dropping_it_drops_all() {
    let fake = Fake::new(vec![[silent()]; 64]);
    let request = once();
    let call = fake.run(Strategy::Broadcast, &request);
    assert!(tokio::time::timeout(ms(50), call).await.is_err());
    assert_eq!(fake.went_to().len(), 64);
    let dropped = |seen: &super::fake::Seen| seen.end == Some(End::Dropped(50));
    assert!(fake.seen().iter().all(dropped));
}
