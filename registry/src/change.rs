use std::cmp::Ordering;
use std::sync::Arc;

use crate::Instance;

/// One difference between two snapshots of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This instance was not there before.
    Joined(Arc<Instance>),
    /// This instance, as it last was, is no longer there.
    Left(Arc<Instance>),
    /// This instance was there and now says something else about itself.
    Updated(Arc<Instance>),
}

impl Change {
    /// The instance that changed: as it is now, or as it last was when it left.
    #[must_use]
    pub fn instance(&self) -> &Arc<Instance> {
        match self {
            Self::Joined(instance) | Self::Left(instance) | Self::Updated(instance) => instance,
        }
    }
}

/// Walks both lists, which are in the order of the ids, side by side.
pub(crate) fn between(before: &[Arc<Instance>], after: &[Arc<Instance>]) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return changes,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.id().cmp(new.id()),
        };
        let old = before.next_if(|_| order.is_le());
        let new = after.next_if(|_| order.is_ge());
        changes.extend(difference(old, new));
    }
}

fn difference(old: Option<&Arc<Instance>>, new: Option<&Arc<Instance>>) -> Option<Change> {
    match (old, new) {
        (None, Some(new)) => Some(Change::Joined(Arc::clone(new))),
        (Some(old), None) => Some(Change::Left(Arc::clone(old))),
        (Some(old), Some(new)) if old != new => Some(Change::Updated(Arc::clone(new))),
        _ => None,
    }
}
