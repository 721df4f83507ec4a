//! Calls without end, and what became of each.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use doge_faults::{Ledger as _, LedgerClient};
use doge_rpc::prelude::*;
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::LIMIT;

/// Callers that read and book in turn, each as soon as it has an answer.
pub(crate) struct Load {
    callers: JoinSet<Vec<Call>>,
    stop: CancellationToken,
    done: watch::Receiver<u64>,
}

/// A call that is over.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) key: u64,
    pub(crate) kind: Kind,
    pub(crate) began: Instant,
    pub(crate) took: Duration,
    pub(crate) result: Result<(), Status>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Idempotent.
    Read,
    /// Not.
    Book,
}

/// What each call takes at the replica.
const WORK: Duration = Duration::from_millis(2);

impl Load {
    /// So many callers, which read and book.
    pub(crate) fn start(client: &LedgerClient, callers: usize) -> Self {
        Self::of(client, callers, &[Kind::Read, Kind::Book])
    }

    /// So many callers, which read.
    pub(crate) fn reads(client: &LedgerClient, callers: usize) -> Self {
        Self::of(client, callers, &[Kind::Read])
    }

    fn of(client: &LedgerClient, callers: usize, kinds: &'static [Kind]) -> Self {
        let (count, done) = watch::channel(0);
        let stop = CancellationToken::new();
        let (keys, count) = (Arc::new(AtomicU64::new(1)), Arc::new(count));
        let mut tasks = JoinSet::new();
        for _ in 0..callers {
            let (client, stop) = (client.clone(), stop.clone());
            let (keys, count) = (Arc::clone(&keys), Arc::clone(&count));
            tasks.spawn(async move {
                let mut calls = Vec::new();
                for kind in kinds.iter().cycle() {
                    if stop.is_cancelled() {
                        break;
                    }
                    let key = keys.fetch_add(1, Ordering::Relaxed);
                    calls.push(call(&client, *kind, key).await);
                    count.send_modify(|count| *count += 1);
                }
                calls
            });
        }
        Self {
            callers: tasks,
            stop,
            done,
        }
    }

    /// Waits until so many more calls are over.
    pub(crate) async fn go_on_for(&mut self, calls: u64) {
        let until = *self.done.borrow() + calls;
        let reached = self.done.wait_for(|done| *done >= until);
        tokio::time::timeout(LIMIT, reached)
            .await
            .expect("calls end")
            .unwrap();
    }

    /// Lets the calls under way end, and returns them all.
    pub(crate) async fn stop(mut self) -> Vec<Call> {
        self.stop.cancel();
        let mut calls = Vec::new();
        while let Some(ended) = self.callers.join_next().await {
            calls.extend(ended.unwrap());
        }
        calls
    }
}

async fn call(client: &LedgerClient, kind: Kind, key: u64) -> Call {
    let (began, millis) = (Instant::now(), WORK.as_millis() as u64);
    let result = match kind {
        Kind::Read => client
            .read(key, millis)
            .await
            .map(|value| assert_eq!(value, key)),
        Kind::Book => client.book(key, millis).await,
    };
    Call {
        key,
        kind,
        began,
        took: began.elapsed(),
        result,
    }
}

/// The calls that failed.
pub(crate) fn failed(calls: &[Call]) -> Vec<&Call> {
    calls.iter().filter(|call| call.result.is_err()).collect()
}
