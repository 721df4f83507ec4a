//! Undoing, which is tried harder than doing: giving up leaves something behind.

use std::{future::Future, time::Duration};

const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Runs a step that may be repeated until it succeeds, fails for good, or has failed too often; pauses in between,
/// each twice as long as the one before.
pub(super) async fn persist<E, F>(
    step: impl Fn() -> F,
    is_passing: impl Fn(&E) -> bool,
) -> Result<(), E>
where
    F: Future<Output = Result<(), E>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match step().await {
            Err(error) if is_passing(&error) => {}
            result => return result,
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    step().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{TRIES, persist};

    #[tokio::test(start_paused = true)]
    async fn a_passing_failure_is_tried_again_up_to_a_limit() {
        let tries = Cell::new(0);
        let step = |succeeds_at: u32| {
            tries.set(tries.get() + 1);
            let result = if tries.get() < succeeds_at {
                Err("away")
            } else {
                Ok(())
            };
            async move { result }
        };
        assert_eq!(persist(|| step(3), |_| true).await, Ok(()));
        assert_eq!(tries.take(), 3);
        assert_eq!(persist(|| step(u32::MAX), |_| true).await, Err("away"));
        assert_eq!(tries.take(), TRIES);
        assert_eq!(persist(|| step(u32::MAX), |_| false).await, Err("away"));
        assert_eq!(tries.take(), 1);
    }
}
