//! Keeping the instances of this process registered: [`desired`] is what should be in etcd, and four workers that run
//! as one task see to it: [`lease`] has a lease for all, [`writer`] puts and deletes, [`guard`] notices what others
//! delete, and [`audit`] what nobody noticed.

mod audit;
mod batch;
mod desired;
mod entry;
mod guard;
mod lease;
mod presence;
mod requests;
mod work;
mod writer;

use std::sync::Arc;

use tokio::sync::oneshot;

use self::desired::Desired;
use self::presence::Presence;
use self::work::Running;
use super::members::Members;
use super::value;
use crate::{Instance, RegistryError};

/// The instances that this process has in etcd.
#[derive(Debug)]
pub(super) struct Provider {
    members: Arc<Members>,
    desired: Desired,
}

impl Provider {
    pub(super) fn new(members: Arc<Members>) -> Self {
        let settings = members.settings();
        Self {
            desired: Desired::new(settings.ttl, &settings.env),
            members,
        }
    }

    /// Registers the instance; it is there when this returns, and stays until the presence ends.
    pub(super) async fn register(
        self: &Arc<Self>,
        instance: &Arc<Instance>,
    ) -> Result<Presence, RegistryError> {
        let layout = &self.members.settings().layout;
        let (path, prefix) = (layout.instance(instance), layout.service(instance.key()));
        let value = value::encode(instance)?;
        let (done, answer) = oneshot::channel();
        let added = self.desired.add(&path, prefix, value, done);
        let generation = added.ok_or_else(|| already_registered(instance))?;
        // Made first, so that it takes the instance back if this future is dropped while it waits.
        let presence = Presence::new(Arc::clone(self), path, generation, Arc::clone(instance));
        self.wake();
        match answer.await {
            Ok(Ok(())) => Ok(presence),
            Ok(Err(Refusal::Taken)) => {
                presence.forget();
                Err(already_registered(instance))
            }
            Ok(Err(Refusal::Failed(failure))) => {
                Err(failure.report("register the instance", self.members.settings()))
            }
            Err(_) => Err(RegistryError::Stopped),
        }
    }

    /// Sets the workers to work unless they are.
    fn wake(self: &Arc<Self>) {
        if self.desired.starts() {
            tokio::spawn(work::run(Running::new(Arc::clone(self))));
        }
    }
}

/// Why an instance is not registered.
#[derive(Clone, Debug)]
enum Refusal {
    /// Somebody else has registered it.
    Taken,
    Failed(super::failure::Failure),
}

fn already_registered(instance: &Instance) -> RegistryError {
    RegistryError::AlreadyRegistered {
        key: instance.key().clone(),
        id: instance.id().to_owned(),
    }
}
