use std::sync::{Arc, Weak};

use doge_registry::{Instance, Snapshot, Watch};

use super::{Endpoint, Shared};
use crate::{Channel, ChannelConfig};

/// Keeps the endpoints of a cluster as the registry has its instances.
pub(super) struct Follow {
    shared: Weak<Shared>,
    watch: Watch,
    config: ChannelConfig,
}

impl Follow {
    pub(super) fn new(shared: &Arc<Shared>, watch: Watch, config: ChannelConfig) -> Self {
        Self {
            shared: Arc::downgrade(shared),
            watch,
            config,
        }
    }

    /// Takes over what is there now, and follows in a task of its own until the cluster is dropped.
    pub(super) fn start(mut self) {
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        self.apply(&shared, &self.watch.snapshot());
        let gone = shared.gone.clone();
        drop(shared);
        tokio::spawn(async move {
            let follow = async {
                while let Ok(snapshot) = self.watch.changed().await {
                    let Some(shared) = self.shared.upgrade() else {
                        return;
                    };
                    self.apply(&shared, &snapshot);
                }
            };
            gone.run_until_cancelled(follow).await;
        });
    }

    fn apply(&self, shared: &Shared, snapshot: &Snapshot) {
        let before = shared.endpoints.load();
        let endpoints = snapshot.iter().filter_map(|instance| {
            let kept = before.iter().find(|endpoint| {
                endpoint.instance().id() == instance.id()
                    && endpoint.instance().address() == instance.address()
            });
            match kept {
                Some(endpoint) => Some(Endpoint::new(
                    Arc::clone(instance),
                    endpoint.channel().clone(),
                )),
                None => self.endpoint(instance),
            }
        });
        let endpoints: Vec<_> = endpoints.collect();
        tracing::debug!(service = %shared.service, endpoints = endpoints.len(), "instances changed");
        shared.endpoints.store(Arc::new(endpoints));
        shared.changed.send_replace(());
    }

    fn endpoint(&self, instance: &Arc<Instance>) -> Option<Endpoint> {
        match instance.address().parse() {
            Ok(address) => {
                let channel = Channel::with_config(address, self.config.clone());
                Some(Endpoint::new(Arc::clone(instance), channel))
            }
            Err(error) => {
                tracing::warn!(instance = instance.id(), %error, "an instance cannot be called");
                None
            }
        }
    }
}
