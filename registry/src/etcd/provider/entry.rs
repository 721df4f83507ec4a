use std::mem;
use std::sync::Arc;

use doge_base::Pauses;
use tokio::sync::oneshot;
use tokio::time::Instant;

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
    /// When it is tried again, if it was refused, and others were not.
    pub(super) retry: Option<Retry>,
}

/// The tries of a key that is refused on its own.
#[derive(Debug)]
pub(super) struct Retry {
    pub(super) pauses: Pauses,
    pub(super) at: Instant,
    /// It was refused alone, and not only together with others.
    pub(super) refused: bool,
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
    Leaving(Leaving),
}

/// What there is to say before a key is deleted, and whom to answer.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    pub(super) answer: Option<Answer>,
    /// The value that says that the instance leaves, if its key is in etcd.
    pub(super) farewell: Option<Arc<[u8]>>,
}

impl Entry {
    /// One that is new is given up, and deleted because it may be there after all.
    pub(super) fn refuse(&mut self, failure: &Failure) {
        if matches!(self.stage, Stage::New(_)) {
            mem::replace(&mut self.stage, Stage::Leaving(Leaving::default()))
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
        let waiting = match self {
            Self::New(waiting) => Some(waiting),
            Self::Leaving(leaving) => leaving.answer,
            Self::Missing | Self::There(_) => None,
        };
        if let Some(waiting) = waiting {
            // Who no longer waits need not hear it.
            let _ = waiting.send(answer);
        }
    }

    /// Lets whoever waits know that there will be no answer.
    pub(super) fn hang_up(&mut self) {
        match self {
            Self::New(_) => *self = Self::Leaving(Leaving::default()),
            Self::Leaving(leaving) => drop(leaving.answer.take()),
            Self::Missing | Self::There(_) => {}
        }
    }
}
