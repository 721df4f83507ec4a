use tokio::task::AbortHandle;

/// Knows whether the runtime has ended on which it was made.
#[derive(Debug)]
pub(super) struct RuntimeGuard(AbortHandle);

impl RuntimeGuard {
    /// Of the runtime that this is called on.
    pub(super) fn here() -> Self {
        Self(tokio::spawn(std::future::pending::<()>()).abort_handle())
    }

    /// Whether the runtime has ended: it drops the task, which ends in no other way.
    pub(super) fn has_ended(&self) -> bool {
        self.0.is_finished()
    }
}

impl Drop for RuntimeGuard {
    fn drop(&mut self) {
        self.0.abort();
    }
}
