//! A service that keeps a ledger of what was asked, what ran and how it ended, and what the ledger has to say.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use doge_rpc::{observe, prelude::*};
use tokio::time::Instant;

#[service(name = "sim.ledger")]
pub(crate) trait Ledger {
    /// Runs at most once.
    async fn enter(&self, call: u64, work: Work) -> Result<u64, Status>;

    /// May run more than once.
    #[rpc(idempotent)]
    async fn look(&self, call: u64, work: Work) -> Result<u64, Status>;

    /// May be hedged.
    #[rpc(idempotent, hedge = "20ms")]
    async fn glance(&self, call: u64, work: Work) -> Result<u64, Status>;
}

/// What a call costs its handler.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Work {
    /// Milliseconds.
    pub(crate) time: u64,
    /// Of no use, and so many bytes.
    pub(crate) load: String,
}

/// What is known of all calls of a run.
#[derive(Clone, Default)]
pub(crate) struct Books(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    calls: BTreeMap<u64, Entry>,
    /// Handlers that run now, by host.
    running: BTreeMap<String, usize>,
    /// Calls that run by the count of each server.
    counted: BTreeMap<String, usize>,
    /// Servers that have drained.
    drained: BTreeMap<String, Instant>,
}

#[derive(Debug, Default)]
struct Entry {
    idempotent: bool,
    runs: usize,
    endings: usize,
}

impl Books {
    /// Handlers of this host.
    pub(crate) fn handlers(&self, host: &str) -> Handlers {
        Handlers {
            books: self.clone(),
            host: host.to_owned(),
        }
    }

    /// A call is made.
    pub(crate) fn asked(&self, call: u64, idempotent: bool) {
        let mut pages = self.0.lock().unwrap();
        let entry = Entry {
            idempotent,
            ..Entry::default()
        };
        assert!(pages.calls.insert(call, entry).is_none());
    }

    /// A call has ended so, for its caller.
    pub(crate) fn ended(&self, call: u64, answer: &Result<u64, Status>) {
        let mut pages = self.0.lock().unwrap();
        let entry = pages.calls.get_mut(&call).unwrap();
        entry.endings += 1;
        assert_eq!(entry.endings, 1, "call {call} has ended more than once");
        match answer {
            Ok(value) => {
                assert_eq!(*value, call, "the answer is that of another call");
                assert!(entry.runs > 0, "call {call} was answered and never ran");
            }
            Err(status) if status.never_ran() => {
                assert_eq!(
                    entry.runs, 0,
                    "call {call} ran, though its caller is told {status}"
                );
            }
            Err(_) => {}
        }
    }

    /// A call was given up by its caller.
    pub(crate) fn dropped(&self, call: u64) {
        self.0.lock().unwrap().calls.get_mut(&call).unwrap().endings += 1;
    }

    /// The server of this host has drained: it runs nothing any more.
    pub(crate) fn drained(&self, host: &str) {
        let mut pages = self.0.lock().unwrap();
        assert_eq!(
            pages.running.get(host).copied().unwrap_or(0),
            0,
            "{host} has drained, and runs calls"
        );
        pages.drained.insert(host.to_owned(), Instant::now());
    }

    /// A server begins at this host.
    pub(crate) fn begins(&self, host: &str) {
        self.0.lock().unwrap().drained.remove(host);
    }

    /// So many calls run at this host, as its server counts.
    pub(crate) fn server_runs(&self, host: &str, calls: usize) {
        self.0
            .lock()
            .unwrap()
            .counted
            .insert(host.to_owned(), calls);
    }

    /// Nothing runs any more, and every call has ended.
    pub(crate) fn are_closed(&self) -> Result<(), String> {
        let pages = self.0.lock().unwrap();
        if let Some((host, count)) = pages.running.iter().find(|(_, count)| **count > 0) {
            return Err(format!("{count} handlers still run at {host}"));
        }
        if let Some((host, count)) = pages.counted.iter().find(|(_, count)| **count > 0) {
            return Err(format!(
                "the server of {host} counts {count} calls that run"
            ));
        }
        match pages.calls.iter().find(|(_, entry)| entry.endings == 0) {
            Some((call, _)) => Err(format!("call {call} has not ended")),
            None => Ok(()),
        }
    }

    /// What holds at all times.
    pub(crate) fn hold(&self) -> Result<(), String> {
        let pages = self.0.lock().unwrap();
        let twice = pages
            .calls
            .iter()
            .find(|(_, it)| !it.idempotent && it.runs > 1);
        match twice {
            Some((call, entry)) => Err(format!("call {call} ran {} times", entry.runs)),
            None => Ok(()),
        }
    }
}

/// The handlers of one host.
pub(crate) struct Handlers {
    books: Books,
    host: String,
}

impl Handlers {
    async fn work(&self, call: u64, work: Work) -> Result<u64, Status> {
        let _running = self.begin(call);
        if work.time > 0 {
            tokio::time::sleep(Duration::from_millis(work.time)).await;
        }
        Ok(call)
    }

    fn begin(&self, call: u64) -> RunningHandler {
        let mut pages = self.books.0.lock().unwrap();
        assert!(
            !pages.drained.contains_key(&self.host),
            "{} has drained, and call {call} runs",
            self.host
        );
        pages.calls.get_mut(&call).unwrap().runs += 1;
        *pages.running.entry(self.host.clone()).or_default() += 1;
        RunningHandler {
            books: self.books.clone(),
            host: self.host.clone(),
        }
    }
}

/// Counts a handler until it ends or is dropped.
struct RunningHandler {
    books: Books,
    host: String,
}

impl Drop for RunningHandler {
    fn drop(&mut self) {
        let mut pages = self.books.0.lock().unwrap();
        *pages.running.get_mut(&self.host).unwrap() -= 1;
    }
}

impl Ledger for Handlers {
    async fn enter(&self, call: u64, work: Work) -> Result<u64, Status> {
        self.work(call, work).await
    }

    async fn look(&self, call: u64, work: Work) -> Result<u64, Status> {
        self.work(call, work).await
    }

    async fn glance(&self, call: u64, work: Work) -> Result<u64, Status> {
        self.work(call, work).await
    }
}

/// Counts what clients begin and end, and how many retries they take.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts(Arc<Mutex<Counted>>);

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) calls_started: u64,
    pub(crate) calls_ended: u64,
    pub(crate) attempts_started: u64,
    pub(crate) attempts_ended: u64,
    pub(crate) further: u64,
}

impl Counts {
    pub(crate) fn read(&self) -> Counted {
        *self.0.lock().unwrap()
    }
}

impl observe::Observer for Counts {
    fn observe(&self, event: &observe::Event<'_>) {
        use observe::Event as E;
        let mut counted = self.0.lock().unwrap();
        match event {
            E::CallStarted(_) => counted.calls_started += 1,
            E::CallEnded(..) => counted.calls_ended += 1,
            E::AttemptStarted(_) => counted.attempts_started += 1,
            E::AttemptEnded(..) => counted.attempts_ended += 1,
            E::Retry(_) | E::Hedge(_) => counted.further += 1,
            _ => {}
        }
    }
}
