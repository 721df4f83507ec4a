use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use doge_rpc::{
    Code,
    observe::{CallInfo, Event, Observer, RefusalReason, Side},
    server::{Running, ServerStats},
};

use crate::common::until;

/// Notes what an observer is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    started: AtomicU64,
    ended: AtomicU64,
}

/// An event, as far as the tests care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Started(String),
    Ended {
        method: String,
        code: Code,
        is_application_error: bool,
        is_timed: bool,
    },
    Refused(String, RefusalReason),
    Opened(String),
    Closed(String, String),
}

/// How many calls of each method ended with each code.
pub(crate) type Ended = BTreeMap<(String, Code), u64>;

impl Observer for Recorder {
    fn observe(&self, event: &Event<'_>) {
        let seen = match event {
            Event::CallStarted(call) => Seen::Started(method(call)),
            Event::CallEnded(call, result) => Seen::Ended {
                method: method(call),
                code: result.code,
                is_application_error: result.application_error,
                is_timed: result.elapsed.is_some(),
            },
            Event::Refused(call, reason) => Seen::Refused(method(call), *reason),
            Event::ConnectionOpened(side, peer) => {
                assert_eq!(*side, Side::Server);
                Seen::Opened(peer.to_string())
            }
            Event::ConnectionClosed(side, peer, why) => {
                assert_eq!(*side, Side::Server);
                Seen::Closed(peer.to_string(), (*why).to_owned())
            }
            other => panic!("no event of a server: {other:?}"),
        };
        let count = match seen {
            Seen::Started(_) => Some(&self.0.started),
            Seen::Ended { .. } => Some(&self.0.ended),
            _ => None,
        };
        self.0.seen.lock().unwrap().push(seen);
        count.map(|count| count.fetch_add(1, Ordering::SeqCst));
    }
}

/// As a metric would call it.
fn method(call: &CallInfo<'_>) -> String {
    assert_eq!(call.side, Side::Server);
    assert!(call.peer.is_some_and(|peer| peer.address().is_some()));
    match call.route.schema() {
        Some(schema) => schema.name().to_owned(),
        None => ServerStats::OTHER.to_owned(),
    }
}

impl Recorder {
    pub(crate) fn all(&self) -> Vec<Seen> {
        self.0.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, which: impl Fn(&Seen) -> bool) -> usize {
        self.0
            .seen
            .lock()
            .unwrap()
            .iter()
            .filter(|it| which(it))
            .count()
    }

    /// How many calls started.
    pub(crate) fn started_count(&self) -> u64 {
        self.0.started.load(Ordering::SeqCst)
    }

    /// How many calls ended.
    pub(crate) fn ended_count(&self) -> u64 {
        self.0.ended.load(Ordering::SeqCst)
    }

    /// Waits until so many calls ended.
    #[track_caller]
    pub(crate) fn until_ended(&self, calls: usize) -> impl Future<Output = ()> {
        until(move || self.ended_count() == calls as u64)
    }

    /// Waits until so many calls were refused for this reason.
    #[track_caller]
    pub(crate) fn until_refused(
        &self,
        reason: RefusalReason,
        calls: usize,
    ) -> impl Future<Output = ()> {
        until(move || {
            self.count(|it| matches!(it, Seen::Refused(_, why) if *why == reason)) == calls
        })
    }

    /// How many calls of each method ended with each code.
    pub(crate) fn ended(&self) -> Ended {
        let mut ended = Ended::new();
        for seen in self.all() {
            if let Seen::Ended { method, code, .. } = seen {
                *ended.entry((method, code)).or_default() += 1;
            }
        }
        ended
    }

    /// How many calls ended with each code.
    pub(crate) fn ended_by_code(&self) -> BTreeMap<Code, u64> {
        let mut ended = BTreeMap::new();
        for ((_, code), calls) in self.ended() {
            *ended.entry(code).or_default() += calls;
        }
        ended
    }

    /// Checks that the figures of the server are what was observed, once no call runs.
    #[track_caller]
    pub(crate) fn agrees_with(&self, server: &Running) {
        let (stats, mut observed) = (server.stats(), BTreeMap::new());
        for method in &stats.methods {
            let name = method.method.to_owned();
            observed.insert(name, (0, BTreeMap::new(), 0, BTreeMap::new()));
        }
        for seen in self.all() {
            match seen {
                Seen::Started(method) => observed.get_mut(&method).unwrap().0 += 1,
                Seen::Ended {
                    method,
                    code,
                    is_application_error,
                    ..
                } => {
                    let (_, ended, errors, _) = observed.get_mut(&method).unwrap();
                    *ended.entry(code).or_default() += 1;
                    *errors += u64::from(is_application_error);
                }
                Seen::Refused(method, reason) => {
                    let (.., refused) = observed.get_mut(&method).unwrap();
                    *refused.entry(reason).or_default() += 1;
                }
                Seen::Opened(_) | Seen::Closed(..) => {}
            }
        }
        for method in &stats.methods {
            let counted = (
                method.started,
                method.ended.clone(),
                method.application_errors,
                method.refused.clone(),
            );
            assert_eq!(observed[method.method], counted, "{}", method.method);
            assert_eq!(method.in_flight, 0, "{}", method.method);
            assert_eq!(method.started, method.ended.values().sum::<u64>());
        }
    }
}
