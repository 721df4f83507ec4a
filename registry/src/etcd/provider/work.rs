use std::sync::Arc;

use super::{Provider, audit, guard, lease, writer};

/// Sees to it that etcd has what this process wants there, until it wants nothing any more.
pub(super) async fn run(mut running: Running) {
    let provider = Arc::clone(&running.provider);
    let left = tokio::select! {
        biased;
        left = writer::write(&provider) => left,
        never = lease::keep(&provider) => match never {},
        never = guard::guard(&provider) => match never {},
        never = audit::audit(&provider) => match never {},
    };
    running.ended = true;
    if let Some(lease) = left {
        lease::revoke(&provider, lease).await;
    }
}

/// Notices when the work is dropped with its runtime, even before it began.
pub(super) struct Running {
    provider: Arc<Provider>,
    ended: bool,
}

impl Running {
    pub(super) fn new(provider: Arc<Provider>) -> Self {
        Self {
            provider,
            ended: false,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            self.provider.desired.interrupted();
        }
    }
}
