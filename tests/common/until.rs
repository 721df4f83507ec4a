use std::time::{Duration, Instant};

use doge_rpc::CallOptions;

/// Nothing here takes longer, unless it hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// Waits for a future, and no longer than anything takes.
#[track_caller]
pub(crate) fn soon<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let caller = std::panic::Location::caller();
    async move {
        let ended = tokio::time::timeout(LIMIT, future).await;
        ended.unwrap_or_else(|_| panic!("not within {LIMIT:?}: what {caller} waits for"))
    }
}

/// Waits until a condition holds of which no event tells.
#[track_caller]
pub(crate) fn until(mut condition: impl FnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let started = Instant::now();
        while !condition() {
            assert!(
                started.elapsed() < LIMIT,
                "not within {LIMIT:?}: what {caller} waits for"
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Calls until a call comes out as wanted.
#[track_caller]
pub(crate) fn until_called(mut wanted: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    soon(async move {
        while !wanted().await {
            // One that fails at once gives nobody else a turn.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
}

/// Options with a deadline that only a hang reaches.
pub(crate) fn patient() -> CallOptions {
    CallOptions::new().timeout(LIMIT)
}
