use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, advance};

use super::{CallLimits, MILLI, limiter, passed, passes, patient, refusal};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_burst_passes_at_once_and_the_rest_as_the_rate_has_it() {
    let limiter = limiter(CallLimits::new().rate(10, SECOND).burst(5));
    assert_eq!(passed(&limiter, 20).await, 5);
    for _ in 0..30 {
        advance(99 * MILLI).await;
        assert_eq!(passed(&limiter, 20).await, 0);
        advance(MILLI).await;
        assert_eq!(passed(&limiter, 20).await, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_time_is_made_up_for_by_no_more_than_a_burst() {
    for (limits, burst) in [
        (CallLimits::new().rate(10, SECOND).burst(5), 5),
        (CallLimits::new().rate(10, SECOND).burst(1), 1),
        (CallLimits::new().rate(10, SECOND).burst(70), 70),
        (CallLimits::new().rate(10, SECOND), 10),
        (CallLimits::new().rate(600, 60 * SECOND), 600),
    ] {
        let limiter = limiter(limits);
        assert_eq!(passed(&limiter, 1000).await, burst);
        advance(300 * MILLI).await;
        assert_eq!(passed(&limiter, 1000).await, burst.min(3));
        advance(3600 * SECOND).await;
        assert_eq!(passed(&limiter, 1000).await, burst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_may_be_slower_than_one_in_a_second() {
    let limiter = limiter(CallLimits::new().rate(2, 60 * SECOND).burst(1));
    assert!(passes(&limiter).await);
    advance(30 * SECOND - MILLI).await;
    assert!(!passes(&limiter).await);
    advance(MILLI).await;
    assert!(passes(&limiter).await);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_what_limit_and_when_there_is_room() {
    let limiter = limiter(CallLimits::new().rate(10, SECOND).burst(2));
    assert_eq!(passed(&limiter, 2).await, 2);
    advance(30 * MILLI).await;
    let status = refusal(limiter.acquire(patient()).await);
    assert_eq!(
        status.message(),
        "hr.employee/get: the client's limit on calls, 10 per 1s with a burst of 2, is reached; to raise it, see \
         CallLimits (rate, burst or wait)"
    );
    assert_eq!(status.pushback(), Some(70 * MILLI));
    advance(70 * MILLI).await;
    assert!(passes(&limiter).await);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_finds_no_slot_takes_no_token() {
    let limiter = limiter(CallLimits::new().rate(10, SECOND).burst(2).concurrency(1));
    let first = limiter.acquire(patient()).await.unwrap();
    assert_eq!(passed(&limiter, 100).await, 0);
    drop(first);
    assert!(passes(&limiter).await);
    // Nor does one that finds no token keep a slot.
    assert!(!passes(&limiter).await);
    advance(100 * MILLI).await;
    assert!(passes(&limiter).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_on_several_threads_together_get_no_more_than_the_rate() {
    let limiter = limiter(CallLimits::new().rate(1000, SECOND).burst(10));
    let start = Instant::now();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let limiter = Arc::clone(&limiter);
            tokio::spawn(async move {
                let mut calls = 0;
                while start.elapsed() < 100 * MILLI {
                    calls += passed(&limiter, 100).await;
                    tokio::task::yield_now().await;
                }
                calls
            })
        })
        .collect();
    let mut calls = 0;
    for caller in callers {
        calls += caller.await.unwrap();
    }
    let most = 10.0 + start.elapsed().as_secs_f64() * 1000.0;
    assert!(calls as f64 <= most, "{calls} of {most}");
    assert!(calls > 10, "no more than the burst: {calls}");
}
