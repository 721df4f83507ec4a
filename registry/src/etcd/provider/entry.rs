use std::mem;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::Refusal;
use crate::etcd::failure::Failure;

/// Tells whoever waits for it how a registration or a withdrawal went.
pub(super) type Answer = oneshot::Sender<Result<(), Refusal>>;

/// One key that this process should have in etcd.
#[derive(Debug)]
pub(super) struct Entry {
    /// What the keys of its service begin with.
    pub(super) service: String,
    pub(super) value: Arc<[u8]>,
    pub(super) stage: Stage,
    pub(super) generation: u64,
}

/// How far a key has come.
#[derive(Debug)]
pub(super) enum Stage {
    /// Never seen in etcd yet; somebody waits for it.
    New(Answer),
    /// To be put, or put again.
    Missing,
    /// In etcd, with our lease, since this revision.
    There(i64),
    /// To be deleted.
    Leaving(Option<Answer>),
}

impl Entry {
    /// One that is new is given up, and deleted because it may be there after all.
    pub(super) fn refuse(&mut self, failure: &Failure) {
        if matches!(self.stage, Stage::New(_)) {
            mem::replace(&mut self.stage, Stage::Leaving(None))
                .answer(Err(Refusal::Failed(failure.clone())));
        }
    }
}

impl Stage {
    pub(super) fn is_leaving(&self) -> bool {
        matches!(self, Self::Leaving(_))
    }

    pub(super) fn is_new(&self) -> bool {
        matches!(self, Self::New(_))
    }

    pub(super) fn answer(self, answer: Result<(), Refusal>) {
        if let Self::New(waiting) | Self::Leaving(Some(waiting)) = self {
            // Who no longer waits need not hear it.
            let _ = waiting.send(answer);
        }
    }

    /// Lets whoever waits know that there will be no answer.
    pub(super) fn hang_up(&mut self) {
        match self {
            Self::New(_) => *self = Self::Leaving(None),
            Self::Leaving(waiting) => drop(waiting.take()),
            Self::Missing | Self::There(_) => {}
        }
    }
}
