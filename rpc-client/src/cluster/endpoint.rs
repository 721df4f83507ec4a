use std::sync::Arc;

use doge_registry::Instance;

use crate::Channel;

/// An instance as a client sees it. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    instance: Arc<Instance>,
    channel: Channel,
}

impl Endpoint {
    pub(super) fn new(instance: Arc<Instance>, channel: Channel) -> Self {
        Self { instance, channel }
    }

    pub(super) fn instance(&self) -> &Instance {
        &self.instance
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }
}
