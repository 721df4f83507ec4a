//! Calls one after the other, while something happens.

use std::{
    collections::BTreeSet,
    panic::Location,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use doge_interop::{Caller, Methods as _, MethodsClient};
use doge_rpc::Status;
use doge_test_support::eventually;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::LIMIT;

/// Waits until the last calls of a Python client were answered by exactly these kinds of servers.
#[track_caller]
pub(super) fn until_python_reaches(caller: &mut Caller, kinds: &[&str]) {
    eventually(LIMIT, &format!("Python reaches {kinds:?}"), || {
        // They go in turn.
        let answers = [(); 4].map(|()| caller.call("shown", json!([true])));
        let answers: Result<BTreeSet<String>, String> = answers
            .into_iter()
            .map(|answer| answer.map(|kind| kind.as_str().unwrap().to_owned()))
            .collect();
        answers.is_ok_and(|answers| answers.iter().eq(kinds))
    });
    assert_eq!(caller.call("sum", json!([1, 2])), Ok(json!(3)));
}

/// The same with a client of ours, none of whose calls may fail.
pub(super) async fn until_rust_reaches(client: &MethodsClient, kinds: &[&str]) {
    let reached = async {
        loop {
            let mut answers = BTreeSet::new();
            for _ in 0..8 {
                answers.insert(client.shown(true.into()).await.unwrap());
            }
            if answers.iter().eq(kinds) {
                return;
            }
        }
    };
    let ended = tokio::time::timeout(LIMIT, reached).await;
    ended.unwrap_or_else(|_| panic!("Rust does not reach {kinds:?}"));
    assert_eq!(client.sum(1, 2).await, Ok(3));
}

/// Calls of a client of ours, until this is asked how they went.
pub(super) struct RustCalls {
    shared: Arc<Shared>,
    task: JoinHandle<Vec<Status>>,
}

/// Calls of a Python client, until this gives it back.
pub(super) struct PythonCalls {
    shared: Arc<Shared>,
    thread: thread::JoinHandle<(Caller, Vec<String>)>,
}

#[derive(Default)]
struct Shared {
    done: AtomicUsize,
    stop: AtomicBool,
}

impl RustCalls {
    pub(super) fn begin(client: &MethodsClient) -> Self {
        let shared = Arc::<Shared>::default();
        let (client, told) = (client.clone(), Arc::clone(&shared));
        let task = tokio::spawn(async move {
            let mut failures = Vec::new();
            while told.goes_on() {
                failures.extend(client.sum(1, 2).await.err());
            }
            failures
        });
        Self { shared, task }
    }

    /// Makes a few more, none of which may fail, as none may have failed before.
    #[track_caller]
    pub(super) fn end_well(self) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            self.shared.end();
            let failures = self.task.await.unwrap();
            let (count, first) = (failures.len(), failures.first());
            assert_eq!(first, None, "at {caller}: the first of {count}");
        }
    }
}

impl PythonCalls {
    pub(super) fn begin(mut caller: Caller) -> Self {
        let shared = Arc::<Shared>::default();
        let told = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let mut failures = Vec::new();
            while told.goes_on() {
                failures.extend(caller.call("sum", json!([1, 2])).err());
            }
            (caller, failures)
        });
        Self { shared, thread }
    }

    /// Makes a few more, none of which may fail, as none may have failed before.
    #[track_caller]
    pub(super) fn end_well(self) -> Caller {
        self.shared.end();
        let (caller, failures) = self.thread.join().unwrap();
        let (count, first) = (failures.len(), failures.first());
        assert_eq!(first, None, "the first of {count}");
        caller
    }
}

impl Shared {
    fn goes_on(&self) -> bool {
        self.done.fetch_add(1, Ordering::Relaxed);
        !self.stop.load(Ordering::Relaxed)
    }

    fn end(&self) {
        let done = || self.done.load(Ordering::Relaxed);
        let before = done();
        eventually(LIMIT, "calls go on", || done() > before + 100);
        self.stop.store(true, Ordering::Relaxed);
    }
}
