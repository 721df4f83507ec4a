use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{CallLimits, MILLI, call, limiter, passes, patient, refusal, settle, wait};

#[tokio::test(start_paused = true)]
async fn a_call_is_refused_while_as_many_as_may_be_are_in_flight() {
    let limiter = limiter(CallLimits::new().concurrency(2));
    let first = limiter.acquire(patient()).await.unwrap();
    let _second = limiter.acquire(patient()).await.unwrap();
    let status = refusal(limiter.acquire(patient()).await);
    assert_eq!(
        status.message(),
        "hr.employee/get: the client's limit on calls, 2 in flight, is reached; to raise it, see CallLimits \
         (concurrency or wait)"
    );
    assert_eq!(status.pushback(), None);
    drop(first);
    assert!(passes(&limiter).await);
}

#[tokio::test]
async fn without_limits_every_call_passes() {
    let limiter = limiter(CallLimits::new());
    let mut permits = Vec::new();
    for _ in 0..10_000 {
        permits.push(limiter.acquire(patient()).await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_comes_free_goes_to_who_has_waited_longest() {
    let limiter = limiter(CallLimits::new().concurrency(2).wait(wait(100)));
    let start = tokio::time::Instant::now();
    let calls: Vec<_> = (0..10).map(|_| call(&limiter, 10 * MILLI)).collect();
    for (index, call) in calls.into_iter().enumerate() {
        let started = call.await.unwrap().unwrap();
        // Two at a time, in the order in which they came; a timer ticks a millisecond late.
        let turn = started.duration_since(start).as_millis() / 10;
        assert_eq!(turn, index as u128 / 2, "{index}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_does_not_pass_who_waits() {
    let limiter = limiter(CallLimits::new().concurrency(1).wait(wait(1)));
    let first = limiter.acquire(patient()).await.unwrap();
    let waits = call(&limiter, MILLI);
    settle().await;
    drop(first);
    // The one who waits has not run yet, and still the slot is taken.
    refusal(limiter.acquire(patient()).await);
    waits.await.unwrap().unwrap();
    assert!(passes(&limiter).await);
}

#[tokio::test(start_paused = true)]
async fn callers_that_go_away_give_back_what_they_had() {
    let limiter = limiter(CallLimits::new().concurrency(1).wait(wait(3)));
    let first = limiter.acquire(patient()).await.unwrap();
    let calls: Vec<_> = (0..3).map(|_| call(&limiter, MILLI)).collect();
    settle().await;
    refusal(limiter.acquire(patient()).await);
    // The first goes while it waits, the second just when the slot was given to it.
    calls[0].abort();
    settle().await;
    drop(first);
    calls[1].abort();
    let [_, _, last] = <[_; 3]>::try_from(calls).unwrap();
    last.await.unwrap().unwrap();
    settle().await;
    let _permit = limiter.acquire(patient()).await.unwrap();
    let again: Vec<_> = (0..3).map(|_| call(&limiter, MILLI)).collect();
    settle().await;
    assert!(again.iter().all(|call| !call.is_finished()), "three places");
    refusal(limiter.acquire(patient()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_on_several_threads_never_exceed_the_concurrency() {
    let limiter = limiter(CallLimits::new().concurrency(5).wait(wait(1000)));
    let in_flight = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let (limiter, in_flight, most) = (
                Arc::clone(&limiter),
                Arc::clone(&in_flight),
                Arc::clone(&most),
            );
            tokio::spawn(async move {
                for _ in 0..200 {
                    let permit = limiter.acquire(patient()).await.unwrap();
                    most.fetch_max(
                        in_flight.fetch_add(1, Ordering::SeqCst) + 1,
                        Ordering::SeqCst,
                    );
                    tokio::task::yield_now().await;
                    in_flight.fetch_sub(1, Ordering::SeqCst);
                    drop(permit);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 5);
}
