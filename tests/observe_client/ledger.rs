use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use doge_rpc::{
    Code, Status,
    client::{ClusterStats, EndedCalls},
    observe::{CallInfo, CallResult, Event, Observer, Side},
};

use crate::common::Trouble;

/// Writes down what an observer sees.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Vec<Entry>>);

/// What was seen. Addresses, methods and texts are as displayed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    CallStarted(String),
    CallEnded(End),
    AttemptStarted(String, u8),
    AttemptEnded(String, End),
    Opened(String),
    Closed(String, String),
    ConnectFailed(String),
    Picked(String),
    Ejected(String),
    Returned(String),
    Pushback(String, Duration),
    Retry,
    Hedge,
    HedgeWon,
    BudgetEmpty,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct End {
    pub(crate) code: Code,
    pub(crate) application_error: bool,
    pub(crate) message: String,
}

impl Observer for Ledger {
    fn observe(&self, event: &Event<'_>) {
        let at = |info: &CallInfo<'_>| {
            assert_eq!(info.side, Side::Client);
            info.address.map(ToString::to_string).unwrap_or_default()
        };
        let entry = match event {
            Event::CallStarted(info) => {
                assert!(info.request_bytes > 0);
                Entry::CallStarted(info.route.to_string())
            }
            Event::CallEnded(_, result) => Entry::CallEnded(End::new(result)),
            Event::AttemptStarted(info) => Entry::AttemptStarted(at(info), info.attempt.number),
            Event::AttemptEnded(info, result) => Entry::AttemptEnded(at(info), End::new(result)),
            Event::ConnectionOpened(Side::Client, address) => Entry::Opened(address.to_string()),
            Event::ConnectionClosed(Side::Client, address, why) => {
                Entry::Closed(address.to_string(), (*why).to_owned())
            }
            Event::ConnectFailed(address, _) => Entry::ConnectFailed(address.to_string()),
            Event::EndpointPicked(address) => Entry::Picked(address.to_string()),
            Event::EndpointEjected(address) => Entry::Ejected(address.to_string()),
            Event::EndpointReturned(address) => Entry::Returned(address.to_string()),
            Event::Pushback(address, time) => Entry::Pushback(address.to_string(), *time),
            Event::Retry(_) => Entry::Retry,
            Event::Hedge(_) => Entry::Hedge,
            Event::HedgeWon(_) => Entry::HedgeWon,
            Event::BudgetEmpty(_) => Entry::BudgetEmpty,
            other => panic!("no event of a client: {other:?}"),
        };
        self.0.lock().unwrap().push(entry);
    }
}

impl End {
    fn new(result: &CallResult<'_>) -> Self {
        assert!(result.elapsed.is_some());
        Self {
            code: result.code,
            application_error: result.application_error,
            message: result.message.to_owned(),
        }
    }
}

impl Ledger {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    pub(crate) fn count(&self, is: impl Fn(&Entry) -> bool) -> u64 {
        self.entries().iter().filter(|entry| is(entry)).count() as u64
    }

    /// How calls ended, in order.
    pub(crate) fn calls_ended(&self) -> Vec<End> {
        let entries = self.entries().into_iter();
        let ended = entries.filter_map(|entry| match entry {
            Entry::CallEnded(end) => Some(end),
            _ => None,
        });
        ended.collect()
    }

    /// How attempts ended and where, in order.
    pub(crate) fn attempts_ended(&self) -> Vec<(String, End)> {
        let entries = self.entries().into_iter();
        let ended = entries.filter_map(|entry| match entry {
            Entry::AttemptEnded(address, end) => Some((address, end)),
            _ => None,
        });
        ended.collect()
    }

    /// Checks, while no call is under way, that the statistics and the callers say what the observer saw.
    #[track_caller]
    pub(crate) fn agrees(&self, stats: &ClusterStats, callers: &Callers) {
        let calls = self.calls_ended();
        assert_eq!(ended(&calls), callers.0, "the observer and the callers");
        assert_eq!(
            stats.calls_ended, callers.0,
            "the statistics and the callers"
        );
        assert_eq!(stats.calls, calls.len() as u64);
        let started = self.count(|entry| matches!(entry, Entry::CallStarted(_)));
        assert_eq!(stats.calls, started);

        let attempts = self.attempts_ended();
        let ends: Vec<_> = attempts.iter().map(|(_, end)| end.clone()).collect();
        assert_eq!(stats.attempts_ended, ended(&ends));
        assert_eq!(stats.attempts, attempts.len() as u64);
        let started = self.count(|entry| matches!(entry, Entry::AttemptStarted(..)));
        assert_eq!(stats.attempts, started);

        for endpoint in &stats.endpoints {
            let mut failures = BTreeMap::new();
            let here = attempts.iter().filter(|(at, _)| *at == endpoint.address);
            for (_, end) in here.filter(|(_, end)| end.code != Code::Ok) {
                *failures.entry(end.code).or_insert(0) += 1;
            }
            assert_eq!(endpoint.failures, failures, "at {}", endpoint.address);
            let opened = self.count(|it| *it == Entry::Opened(endpoint.address.clone()));
            assert_eq!(endpoint.connections, opened);
            assert_eq!(endpoint.in_flight, 0);
        }
        for (entry, count) in [
            (Entry::Retry, stats.retries),
            (Entry::Hedge, stats.hedges),
            (Entry::HedgeWon, stats.hedges_won),
            (Entry::BudgetEmpty, stats.budget_empty),
        ] {
            assert_eq!(self.count(|it| *it == entry), count, "{entry:?}");
        }
        let ejected = self.count(|it| matches!(it, Entry::Ejected(_)));
        assert_eq!(ejected, stats.ejections);
        let timed = stats.call_latencies.as_ref().map(|it| it.count());
        assert!(timed.is_none_or(|timed| timed == stats.calls));
        let timed = stats.attempt_latencies.as_ref().map(|it| it.count());
        assert!(timed.is_none_or(|timed| timed == stats.attempts));
    }
}

/// What the callers saw.
#[derive(Debug, Default)]
pub(crate) struct Callers(EndedCalls);

impl Callers {
    pub(crate) fn saw<T>(&mut self, answer: &Result<T, Status>) {
        let code = answer.as_ref().map_or_else(Status::code, |_| Code::Ok);
        self.saw_code(code);
    }

    pub(crate) fn saw_code(&mut self, code: Code) {
        *self.0.codes.entry(code).or_insert(0) += 1;
    }

    /// An answer of a method with errors of its own.
    pub(crate) fn saw_trouble<T>(&mut self, answer: &Result<T, Trouble>) {
        match answer {
            Err(Trouble::Status(status)) => self.saw_code(status.code()),
            Err(Trouble::No(_)) => {
                self.0.application_errors += 1;
                self.saw_code(Code::Ok);
            }
            Ok(_) => self.saw_code(Code::Ok),
        }
    }
}

fn ended(ends: &[End]) -> EndedCalls {
    let mut ended = EndedCalls::default();
    for end in ends {
        *ended.codes.entry(end.code).or_insert(0) += 1;
        ended.application_errors += u64::from(end.application_error);
    }
    ended
}
