use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use doge_rpc_core::call::Body;
use tokio::time::Instant;

use super::EndpointLoad;

/// How a call ended, as a balancer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// The endpoint answered; an application's error is an answer too.
    Answered,
    /// It did not. Doubles the penalty of the endpoint, up to 32, without which one that fails fast would look fast; the
    /// penalty is forgiven with a time constant of 5 s. Failures within 100 ms count as one. The time until the failure is
    /// a lower bound of the latency, as for a call that was given up: a deadline that passed counts as slow, too.
    Failed,
    /// It refused for want of room: it is left alone for a while, as long as there is another. Its latency stays what it
    /// was, and so it has its share again right after.
    Overloaded {
        /// How long the endpoint asked to be left alone; at most [`MAX_PUSHBACK`](super::MAX_PUSHBACK) is obeyed.
        pushback: Duration,
    },
}

/// A call in flight on a [`EndpointLoad`].
///
/// Dropped without [`end`](Self::end) it was given up: the time until then counts as a lower bound of the latency, which
/// can raise it and not lower it.
#[derive(Debug)]
#[must_use = "a call that is dropped was given up"]
pub struct InFlight<'a> {
    node: &'a EndpointLoad,
    total: Option<&'a AtomicUsize>,
    began: Instant,
    ended: bool,
    /// The items of the answer count the call from here on.
    followed: bool,
}

impl<'a> InFlight<'a> {
    pub(super) fn new(
        node: &'a EndpointLoad,
        total: Option<&'a AtomicUsize>,
        began: Instant,
    ) -> Self {
        Self {
            node,
            total,
            began,
            ended: false,
            followed: false,
        }
    }

    /// Takes in that the head of the answer is there, and counts the call until the items of the answer have ended.
    #[cold]
    pub(crate) fn follow(mut self, load: &Arc<EndpointLoad>, body: &Body) {
        self.ended = true;
        self.followed = true;
        let now = Instant::now();
        let took = now.saturating_duration_since(self.began);
        load.ended(now, took, Sample::Answered);
        let (load, has_total) = (Arc::clone(load), self.total.is_some());
        body.on_end(move |_| {
            load.uncount();
            if let Some(total) = load.total().filter(|_| has_total) {
                total.fetch_sub(1, Relaxed);
            }
        });
    }

    /// Ends the call.
    pub fn end(mut self, now: Instant, sample: Sample) {
        self.ended = true;
        let took = now.saturating_duration_since(self.began);
        self.node.ended(now, took, sample);
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        if !self.followed {
            self.node.uncount();
            if let Some(total) = self.total {
                total.fetch_sub(1, Relaxed);
            }
        }
        if !self.ended {
            let now = Instant::now();
            let elapsed = now.saturating_duration_since(self.began);
            self.node.abandoned(now, elapsed);
        }
    }
}
