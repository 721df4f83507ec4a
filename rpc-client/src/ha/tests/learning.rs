//! What a percentile learns from.

use doge_rpc_core::{Status, call::Request};

use super::fake::{Act, Fake, fails, idempotent, ok, silent, within};
use crate::ha::{BackupRequest, Event, HedgeDelay, Plan, Strategy};

const CALLS: usize = 2_000;

fn plan(percentile: f64, ratio: f64) -> Plan {
    Plan::new(Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::Percentile(percentile),
        ratio,
        ..BackupRequest::default()
    }))
}

/// When the hedge of the last call begins, after calls of which six in ten do one thing and four another. The credit
/// is just enough for that one.
async fn median_after(six: Act, four: Act, request: impl Fn() -> Request) -> u64 {
    let act = |call| {
        if call % 10 < 6 {
            six.clone()
        } else {
            four.clone()
        }
    };
    let calls = (0..CALLS - 1).map(act).chain([ok(900)]);
    let fake = Fake::new([calls.collect::<Vec<_>>(), vec![ok(0)]]);
    let plan = plan(50.0, 1.0 / CALLS as f64);
    for _ in 0..CALLS - 1 {
        let _ = fake.call(&plan, &request()).await;
    }
    assert_eq!(fake.count_of(Event::Hedge), 0);
    let begun = fake.now();
    fake.call(&plan, &idempotent()).await.unwrap();
    assert_eq!(fake.count_of(Event::Hedge), 1);
    fake.now() - begun
}

#[tokio::test(start_paused = true)]
async fn answers_count() {
    let median = median_after(ok(40), ok(10), idempotent).await;
    assert!((40..=41).contains(&median), "{median}");
}

#[tokio::test(start_paused = true)]
async fn a_quick_failure_says_nothing_about_answers() {
    let unknown = fails(0, Status::unimplemented("no such method"));
    let median = median_after(unknown, ok(40), idempotent).await;
    assert!((40..=41).contains(&median), "{median}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_met_its_deadline_counts_for_as_long() {
    let median = median_after(silent(), ok(10), || within(200, &idempotent())).await;
    assert!((200..=202).contains(&median), "{median}");
}

#[tokio::test(start_paused = true)]
async fn a_first_attempt_that_lost_counts_for_as_long_as_it_was_waited_for() {
    let act = |call| if call % 10 == 9 { ok(300) } else { ok(20) };
    let calls = (0..CALLS).map(act).collect::<Vec<_>>();
    let fake = Fake::new([calls, vec![ok(20)]]);
    let plan = plan(95.0, 1.0);
    let mut last = 0;
    for _ in 0..CALLS {
        let begun = fake.now();
        fake.call(&plan, &idempotent()).await.unwrap();
        last = fake.now() - begun;
    }
    // One in ten takes 300 ms, so that is the percentile; without those that lost it would be 20 ms. It is approached
    // from the initial 100 ms, window by window, since nobody waits for the end of one that lost.
    assert!((290..=300).contains(&last), "{last}");
}
