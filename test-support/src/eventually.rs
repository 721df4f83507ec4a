use std::{
    thread,
    time::{Duration, Instant},
};

const PAUSE: Duration = Duration::from_millis(10);

/// Waits until `condition` holds, looking every 10 ms.
///
/// # Panics
///
/// When it does not hold within `limit`.
#[track_caller]
pub fn eventually(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        thread::sleep(PAUSE);
    }
}

/// Waits until what `condition` makes is there, calling it again as soon as it is done without success.
///
/// The pause between two looks is the business of `condition`, which is a future and so can await one, or better the
/// event itself.
///
/// # Panics
///
/// When it is not there within `limit`.
pub async fn eventually_async<T>(
    limit: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = condition().await {
            return found;
        }
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_returns_as_soon_as_the_condition_holds() {
        let mut looks = 0;
        eventually(Duration::from_secs(20), "the third look", || {
            looks += 1;
            looks == 3
        });
        assert_eq!(looks, 3);
    }

    #[test]
    #[should_panic(expected = "not within 1ms: never")]
    fn it_says_what_did_not_come() {
        eventually(Duration::from_millis(1), "never", || false);
    }
}
