use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::{Publisher, ServiceKey, Watch};

/// The followers at work, one per watched service.
///
/// A follower owns its publisher, so one that ended with its runtime is seen to be gone here.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    by_key: Mutex<BTreeMap<ServiceKey, Weak<Publisher>>>,
}

impl Sources {
    /// A watch of the follower of `key`, if there is one at work.
    pub(crate) fn join(&self, key: &ServiceKey) -> Option<Watch> {
        join(&self.lock(), key)
    }

    /// A watch of the follower of `key`: the one at work, or else the one that feeds `publisher`, which `start` is
    /// to set to work.
    pub(crate) fn join_or_start(
        &self,
        key: &ServiceKey,
        publisher: &Arc<Publisher>,
        start: impl FnOnce(),
    ) -> Watch {
        let mut sources = self.lock();
        if let Some(watch) = join(&sources, key) {
            return watch;
        }
        let watch = publisher.watch();
        sources.insert(key.clone(), Arc::downgrade(publisher));
        start();
        watch
    }

    /// Forgets the follower that feeds `publisher` if nobody watches; it is to stop then.
    ///
    /// Decided under the lock that watches are handed out under, so that none is left without source.
    pub(crate) fn ends(&self, key: &ServiceKey, publisher: &Arc<Publisher>) -> bool {
        let mut sources = self.lock();
        if publisher.is_watched() {
            return false;
        }
        if sources
            .get(key)
            .is_some_and(|source| source.as_ptr() == Arc::as_ptr(publisher))
        {
            sources.remove(key);
        }
        true
    }

    /// A poisoned lock is taken over: each change to the map is a single step.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ServiceKey, Weak<Publisher>>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn join(sources: &BTreeMap<ServiceKey, Weak<Publisher>>, key: &ServiceKey) -> Option<Watch> {
    sources
        .get(key)?
        .upgrade()
        .map(|publisher| publisher.watch())
}
