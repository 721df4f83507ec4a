use std::time::Duration;

use doge_rpc_core::Deadline;
use tokio::time::{Instant, advance};

use super::{
    CallLimits, MILLI, Wait, call, limiter, passed, passes, patient, refusal, settle, wait,
};

/// A call each 100 ms.
fn slow() -> CallLimits {
    CallLimits::new().rate(10, Duration::from_secs(1)).burst(1)
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_pass_in_order_at_exactly_the_rate() {
    let limiter = limiter(slow().wait(wait(100)));
    let start = Instant::now();
    let calls: Vec<_> = (0..20).map(|_| call(&limiter, Duration::ZERO)).collect();
    for (index, call) in (0..).zip(calls) {
        let passed = call.await.unwrap().unwrap() - start;
        assert_eq!(passed, index * 100 * MILLI, "{index}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_wait_than_may() {
    let limiter = limiter(slow().wait(wait(2)));
    let calls: Vec<_> = (0..3).map(|_| call(&limiter, Duration::ZERO)).collect();
    settle().await;
    let start = Instant::now();
    let status = refusal(limiter.acquire(patient()).await);
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(
        status.message(),
        "hr.employee/get: the client's limit on calls, 10 per 1s with a burst of 1, is reached, and 2 wait \
         already; to raise it, see CallLimits (wait)"
    );
    assert_eq!(status.pushback(), Some(300 * MILLI));
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(start.elapsed(), 200 * MILLI);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_time_is_too_short_is_refused_at_once() {
    for (ahead, time, deadline, passes) in [
        (0, 1000, 99, false),
        (0, 1000, 100, true),
        (0, 99, 1000, false),
        (0, 100, 1000, true),
        (2, 1000, 299, false),
        (2, 1000, 300, true),
        (2, 299, 1000, false),
        (2, 300, 1000, true),
    ] {
        let time = time * MILLI;
        let limiter = limiter(slow().wait(Wait::UpTo { callers: 100, time }));
        assert_eq!(passed(&limiter, 1).await, 1);
        let _ahead: Vec<_> = (0..ahead).map(|_| call(&limiter, Duration::ZERO)).collect();
        settle().await;
        let start = Instant::now();
        let acquired = limiter.acquire(Deadline::after(deadline * MILLI)).await;
        let turn = (ahead + 1) * 100 * MILLI;
        if passes {
            assert!(acquired.is_ok(), "{ahead} {time:?} {deadline}");
            assert_eq!(start.elapsed(), turn);
        } else {
            let status = refusal(acquired);
            assert_eq!(start.elapsed(), Duration::ZERO);
            assert_eq!(status.pushback(), Some(turn), "{status}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_takes_no_token_and_leaves_its_place() {
    let limiter = limiter(slow().wait(wait(2)));
    assert_eq!(passed(&limiter, 1).await, 1);
    let start = Instant::now();
    let (gone, stays) = (call(&limiter, MILLI), call(&limiter, MILLI));
    settle().await;
    advance(50 * MILLI).await;
    gone.abort();
    settle().await;
    let next = call(&limiter, MILLI);
    assert_eq!(stays.await.unwrap().unwrap() - start, 100 * MILLI);
    assert_eq!(next.await.unwrap().unwrap() - start, 200 * MILLI);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_may_for_a_slot() {
    let time = 50 * MILLI;
    let limits = CallLimits::new()
        .concurrency(1)
        .wait(Wait::UpTo { callers: 10, time });
    let limiter = limiter(limits);
    let _permit = limiter.acquire(patient()).await.unwrap();
    for (deadline, waits) in [(1000, 50), (20, 20), (0, 0)] {
        let start = Instant::now();
        let status = refusal(limiter.acquire(Deadline::after(deadline * MILLI)).await);
        assert_eq!(start.elapsed(), waits * MILLI);
        assert_eq!(
            status.message(),
            "hr.employee/get: the client's limit on calls, 1 in flight, is reached, and its turn did not come in time; \
             to raise it, see CallLimits (wait or the deadline)"
        );
    }
}

/// Those ahead wait for a slot, while there are tokens for all: that is no reason to think that the wait will be long.
#[tokio::test(start_paused = true)]
async fn tokens_that_are_there_are_not_waited_for() {
    let time = 500 * MILLI;
    let limits = CallLimits::new().rate(10, Duration::from_secs(1)).burst(20);
    let limits = limits
        .concurrency(1)
        .wait(Wait::UpTo { callers: 100, time });
    let limiter = limiter(limits);
    let permit = limiter.acquire(patient()).await.unwrap();
    let calls: Vec<_> = (0..15).map(|_| call(&limiter, Duration::ZERO)).collect();
    settle().await;
    drop(permit);
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_no_callers_is_no_wait() {
    let limiter = limiter(slow().wait(wait(0)));
    assert!(passes(&limiter).await);
    let start = Instant::now();
    assert!(!passes(&limiter).await);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_does_not_take_the_token_of_who_waits() {
    let per = Duration::from_micros(100_500);
    let limiter = limiter(CallLimits::new().rate(1, per).wait(wait(1)));
    assert_eq!(passed(&limiter, 1).await, 1);
    let start = Instant::now();
    let waits = call(&limiter, Duration::ZERO);
    settle().await;
    // The token is there, and the timer of the one that waits has yet to tick.
    advance(per).await;
    refusal(limiter.acquire(patient()).await);
    let waited = waits.await.unwrap().unwrap() - start;
    assert!(waited > per && waited < per + 2 * MILLI, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_has_a_slot_does_not_wait_in_vain_for_its_token() {
    let limiter = limiter(slow().concurrency(1).wait(wait(1)));
    let first = call(&limiter, 30 * MILLI);
    settle().await;
    let start = Instant::now();
    let status = refusal(limiter.acquire(Deadline::after(50 * MILLI)).await);
    assert_eq!(start.elapsed(), 30 * MILLI);
    assert_eq!(status.pushback(), Some(70 * MILLI));
    first.await.unwrap().unwrap();
}
