use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use doge_interop::Caller;
use doge_test_support::eventually;
use serde_json::json;

use crate::LIMIT;

/// A Python client that makes one call after the other.
pub(crate) struct PythonLoad {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    caller: JoinHandle<Vec<String>>,
}

impl PythonLoad {
    pub(crate) fn start(mut caller: Caller) -> Self {
        let (stop, done) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&done));
        let caller = thread::spawn(move || {
            let mut failed = Vec::new();
            while !stopped.load(Ordering::SeqCst) {
                // Three of them, so that of two servers that are called in turn both get both.
                failed.extend(caller.call("slow", json!([2])).err());
                failed.extend(caller.call("slow", json!([1])).err());
                failed.extend(caller.call("count", json!([])).err());
                counted.fetch_add(3, Ordering::SeqCst);
            }
            failed
        });
        Self { stop, done, caller }
    }

    /// Waits until so many more calls are over.
    pub(crate) fn go_on_for(&self, calls: usize) {
        let until = self.done.load(Ordering::SeqCst) + calls;
        eventually(LIMIT, "calls end", || {
            self.done.load(Ordering::SeqCst) >= until
        });
    }

    /// The errors of the calls that failed.
    pub(crate) fn stop(self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        self.caller.join().unwrap()
    }
}
