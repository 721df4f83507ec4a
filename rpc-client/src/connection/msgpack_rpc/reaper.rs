use std::sync::Weak;

use tokio::{task::AbortHandle, time::Instant};

use super::pool::Shared;

/// Closes the connections of a pool that nobody has used for long, whether or not further calls come. Ends when it is
/// dropped.
#[derive(Debug)]
pub(super) struct Reaper(AbortHandle);

impl Reaper {
    pub(super) fn start(pool: Weak<Shared>) -> Self {
        let reaping = tokio::spawn(async move {
            while let Some(next) = look(&pool) {
                tokio::time::sleep_until(next).await;
            }
        });
        Self(reaping.abort_handle())
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Looks once, and says when to look again.
fn look(pool: &Weak<Shared>) -> Option<Instant> {
    Some(pool.upgrade()?.expire(Instant::now()))
}
