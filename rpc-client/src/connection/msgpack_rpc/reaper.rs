use tokio::{task::AbortHandle, time::Instant};

/// Closes the connections of a pool that nobody has used for long, whether or not further calls come. Ends when it is
/// dropped.
#[derive(Debug)]
pub(super) struct Reaper(AbortHandle);

impl Reaper {
    /// `reap` closes what is too old now, and says when to come again; never, once the pool is gone.
    pub(super) fn start(reap: impl Fn(Instant) -> Option<Instant> + Send + 'static) -> Self {
        let reaping = tokio::spawn(async move {
            while let Some(next) = reap(Instant::now()) {
                tokio::time::sleep_until(next).await;
            }
        });
        Self(reaping.abort_handle())
    }
}

impl Reaper {
    /// Whether it was stopped by the end of its runtime.
    pub(super) fn is_gone(&self) -> bool {
        self.0.is_finished()
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.0.abort();
    }
}
