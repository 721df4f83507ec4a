//! Calls of a Rust client without end, and what became of each.

use std::sync::Arc;

use doge_interop::{Methods as _, MethodsClient};
use doge_rpc::{
    Status,
    client::{Client, Cluster, Untyped},
};
use tokio::{sync::watch, task::JoinSet};

use crate::{LIMIT, ours::patient};

/// Callers that make calls of both kinds in turn, each as soon as it has an answer.
pub(crate) struct Load {
    callers: JoinSet<Failed>,
    done: Arc<watch::Sender<u64>>,
}

/// The calls that failed.
#[derive(Debug, Default)]
pub(crate) struct Failed {
    /// Of the method that says that it may run twice.
    pub(crate) idempotent: Vec<Status>,
    /// Of the same without saying so.
    pub(crate) others: Vec<Status>,
}

pub(crate) const CALLERS: usize = 16;

/// What each call takes, in milliseconds.
const WORK: u64 = 2;

impl Load {
    pub(crate) fn start(cluster: &Cluster) -> Self {
        let client = MethodsClient::new(cluster.clone()).with(patient());
        let untyped = Client::from(cluster.clone())
            .untyped("test")
            .with(patient());
        let done = Arc::new(watch::Sender::new(0));
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(calls(client.clone(), untyped.clone(), Arc::clone(&done)));
        }
        Self { callers, done }
    }

    /// Waits until so many more calls are over.
    pub(crate) async fn go_on_for(&self, calls: u64) {
        let mut done = self.done.subscribe();
        let until = *done.borrow() + calls;
        let reached = done.wait_for(|done| *done >= until);
        tokio::time::timeout(LIMIT, reached)
            .await
            .expect("calls end")
            .unwrap();
    }

    /// Lets the calls under way end.
    pub(crate) async fn stop(self) -> Failed {
        self.done.send_replace(STOPPED);
        let mut failed = Failed::default();
        for of_caller in self.callers.join_all().await {
            failed.idempotent.extend(of_caller.idempotent);
            failed.others.extend(of_caller.others);
        }
        failed
    }
}

/// Far more than there are.
const STOPPED: u64 = 1 << 32;

async fn calls(client: MethodsClient, untyped: Untyped, done: Arc<watch::Sender<u64>>) -> Failed {
    let mut failed = Failed::default();
    while *done.borrow() < STOPPED {
        let idempotent = client.slow(WORK).await;
        failed.idempotent.extend(idempotent.map(assert_own).err());
        let other = untyped.call("slow", (WORK,)).await;
        failed.others.extend(other.map(assert_own).err());
        done.send_modify(|done| *done += 2);
    }
    failed
}

fn assert_own(answer: u64) {
    assert_eq!(answer, WORK);
}
