use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::{Provider, Refusal};
use crate::etcd::value;
use crate::{Instance, Leave, RegistryError};

/// One instance in etcd, from the moment it is wanted there until it is not.
#[derive(Debug)]
pub(in crate::etcd) struct Presence {
    provider: Arc<Provider>,
    path: String,
    /// Which of those who have had this path it is.
    generation: u64,
    instance: Arc<Instance>,
    over: bool,
}

impl Presence {
    pub(super) fn new(
        provider: Arc<Provider>,
        path: String,
        generation: u64,
        instance: Arc<Instance>,
    ) -> Self {
        Self {
            provider,
            path,
            generation,
            instance,
            over: false,
        }
    }

    /// Ends without touching etcd, because what is there is somebody else's.
    pub(super) fn forget(mut self) {
        self.over = true;
    }

    /// Has the key deleted; the answer comes when it is.
    fn withdraw(&mut self) -> oneshot::Receiver<Result<(), Refusal>> {
        let (done, answer) = oneshot::channel();
        self.over = true;
        // One that is too large to say farewell is merely deleted.
        let farewell = value::encode(&self.instance.farewell()).ok();
        self.provider
            .desired
            .remove(&self.path, self.generation, farewell, done);
        // Without a runtime nothing can be sent, and the lease expires.
        if Handle::try_current().is_ok() {
            self.provider.wake();
        }
        answer
    }
}

impl Leave for Presence {
    fn leave(mut self: Box<Self>) -> BoxFuture<'static, Result<(), RegistryError>> {
        Box::pin(async move {
            match self.withdraw().await {
                Ok(Err(Refusal::Failed(failure))) => {
                    let settings = self.provider.members.settings();
                    Err(failure.report("take the instance out", settings))
                }
                Ok(_) => Ok(()),
                Err(_) => Err(RegistryError::Stopped),
            }
        })
    }

    fn abandon(self: Box<Self>) {
        drop(self);
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if !self.over {
            // Nobody waits for the answer.
            drop(self.withdraw());
        }
    }
}
