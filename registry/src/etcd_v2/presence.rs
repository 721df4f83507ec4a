use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::client::Client;
use super::failure::Failure;
use crate::{Leave, RegistryError};

/// One instance in etcd, from the moment it is wanted there until it is not: until this is dropped at the latest.
#[derive(Debug)]
pub(super) struct Presence {
    client: Arc<Client>,
    leaving: oneshot::Sender<oneshot::Sender<Result<(), Failure>>>,
}

impl Presence {
    pub(super) fn new(
        client: Arc<Client>,
        leaving: oneshot::Sender<oneshot::Sender<Result<(), Failure>>>,
    ) -> Self {
        Self { client, leaving }
    }
}

impl Leave for Presence {
    fn leave(self: Box<Self>) -> BoxFuture<'static, Result<(), RegistryError>> {
        let Self { client, leaving } = *self;
        let (done, answer) = oneshot::channel();
        // Without a holder there is no answer either.
        let _ = leaving.send(done);
        Box::pin(async move {
            match answer.await {
                Ok(withdrawn) => withdrawn
                    .map_err(|failure| failure.report("take the instance out", client.settings())),
                Err(_) => Err(RegistryError::Stopped),
            }
        })
    }

    fn abandon(self: Box<Self>) {
        drop(self);
    }
}
