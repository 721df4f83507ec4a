//! Many random calls to a cluster whose connections break: what its observer and its statistics count is what the callers
//! noted.

use std::{
    collections::{BTreeMap, HashMap},
    future::{Future, pending},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use doge_rpc::{
    Code,
    client::{Backoff, ChannelConfig, ChannelPool, Cluster, EndedCalls, RetryBudget},
    observe::{CallInfo, CallResult, Event, Observer},
    prelude::*,
    registry::Static,
    server::Running,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::common::{Proxy, Random, soon, until};

/// Does as its argument says.
#[service(name = "chaos")]
trait Actor {
    #[rpc(idempotent)]
    async fn read(&self, act: u64) -> Result<u64, Trouble>;

    #[rpc(idempotent, hedge = "2ms")]
    async fn hedged(&self, act: u64) -> Result<u64, Trouble>;

    async fn write(&self, act: u64) -> Result<u64, Trouble>;
}

#[derive(Debug, PartialEq, Error, Serialize, Deserialize)]
enum Trouble {
    #[error("no")]
    No,
    #[error(transparent)]
    Status(#[from] Status),
}

/// Counts what its handlers answer.
#[derive(Clone, Default)]
struct Handlers(Arc<AtomicU64>);

/// Below is the number of a code, which the handler fails with.
const ANSWER: u64 = 17;
const WAIT: u64 = 18;
const REFUSE: u64 = 19;
const HANG: u64 = 20;
const PANIC: u64 = 21;
/// Hangs, unless the attempt is a retry or a hedge.
const HANG_FIRST: u64 = 22;

impl Handlers {
    async fn act(&self, act: u64) -> Result<u64, Trouble> {
        match act {
            ANSWER => {}
            WAIT => tokio::time::sleep(Duration::from_millis(1)).await,
            REFUSE => return Err(Trouble::No),
            HANG => pending().await,
            HANG_FIRST if !is_further_attempt() => pending().await,
            HANG_FIRST => {}
            PANIC => panic!("as it was told"),
            code => return Err(Status::new(Code::from_u8(code as u8), "").into()),
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(act)
    }
}

fn is_further_attempt() -> bool {
    Context::current().is_some_and(|context| context.attempt().retry)
}

impl Actor for Handlers {
    async fn read(&self, act: u64) -> Result<u64, Trouble> {
        self.act(act).await
    }

    async fn hedged(&self, act: u64) -> Result<u64, Trouble> {
        self.act(act).await
    }

    async fn write(&self, act: u64) -> Result<u64, Trouble> {
        self.act(act).await
    }
}

/// How calls, or attempts, ended: by code, and errors of the application.
#[derive(Clone, Debug, Default, PartialEq)]
struct Ends {
    codes: BTreeMap<Code, u64>,
    application_errors: u64,
}

impl Ends {
    fn note(&mut self, code: Code, is_application_error: bool) {
        *self.codes.entry(code).or_default() += 1;
        self.application_errors += u64::from(is_application_error);
    }

    fn note_answer(&mut self, answer: Result<u64, Trouble>) {
        match answer {
            Ok(_) => self.note(Code::Ok, false),
            Err(Trouble::No) => self.note(Code::Ok, true),
            Err(Trouble::Status(status)) => self.note(status.code(), false),
        }
    }

    fn add(&mut self, other: Self) {
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
        self.application_errors += other.application_errors;
    }

    /// Counts so many texts of errors as what an observer takes them for. Over MessagePack-RPC an error is its text: to an
    /// observer an error of the application, and to a caller whose enum has no such variant, `Unknown`.
    fn with_texts(mut self, texts: u64) -> Self {
        for (code, count) in [
            (Code::Unknown, 0 - i128::from(texts)),
            (Code::Ok, texts.into()),
        ] {
            let counted = self.codes.entry(code).or_default();
            *counted = (i128::from(*counted) + count).try_into().unwrap();
        }
        self.codes.retain(|_, count| *count > 0);
        self.application_errors += texts;
        self
    }

    fn total(&self) -> u64 {
        self.codes.values().sum()
    }
}

/// Counts what it sees.
#[derive(Debug, Default)]
struct Counter(Mutex<Counts>);

#[derive(Clone, Debug, Default)]
struct Counts {
    calls: u64,
    calls_ended: Ends,
    attempts: u64,
    attempts_ended: Ends,
    /// By address.
    failures: HashMap<String, BTreeMap<Code, u64>>,
    opened: HashMap<String, u64>,
    closed: HashMap<String, u64>,
    retries: u64,
    hedges: u64,
    hedges_won: u64,
    budget_empty: u64,
    ejections: u64,
}

impl Counts {
    fn attempt_ended(&mut self, info: &CallInfo<'_>, result: &CallResult<'_>) {
        self.attempts_ended
            .note(result.code, result.application_error);
        if result.code != Code::Ok {
            let at = info.address.unwrap().to_string();
            let failures = self.failures.entry(at).or_default();
            *failures.entry(result.code).or_default() += 1;
        }
    }
}

impl Observer for Counter {
    fn observe(&self, event: &Event<'_>) {
        let mut counts = self.0.lock().unwrap();
        match event {
            Event::CallStarted(_) => counts.calls += 1,
            Event::CallEnded(_, result) => counts
                .calls_ended
                .note(result.code, result.application_error),
            Event::AttemptStarted(_) => counts.attempts += 1,
            Event::AttemptEnded(info, result) => counts.attempt_ended(info, result),
            Event::ConnectionOpened(_, address) => {
                *counts.opened.entry(address.to_string()).or_default() += 1;
            }
            Event::ConnectionClosed(_, address, _) => {
                *counts.closed.entry(address.to_string()).or_default() += 1;
            }
            Event::Retry(_) => counts.retries += 1,
            Event::Hedge(_) => counts.hedges += 1,
            Event::HedgeWon(_) => counts.hedges_won += 1,
            Event::BudgetEmpty(_) => counts.budget_empty += 1,
            Event::EndpointEjected(_) => counts.ejections += 1,
            _ => {}
        }
    }
}

const CALLERS: u64 = 16;

/// Makes so many random calls, and notes how each ended.
async fn caller(number: u64, calls: u64, client: ActorClient) -> Ends {
    let (mut random, mut ends) = (Random(number), Ends::default());
    let within = |millis| CallOptions::new().timeout(Duration::from_millis(millis));
    let (hurried, brisk) = (client.with(within(3)), client.with(within(50)));
    for _ in 0..calls {
        let act = match random.below(10) {
            0..=4 => ANSWER,
            5 => WAIT,
            6 => REFUSE,
            7 => random.below(17).max(1),
            8 => HANG,
            _ => [PANIC, HANG_FIRST, WAIT][random.below(3) as usize],
        };
        // What hangs is late, or is given up.
        let is_hurried = act == HANG || (random.below(8) == 0 && act != HANG_FIRST);
        let client = if is_hurried { &hurried } else { &client };
        let patience = match random.below(8) {
            0 => Duration::from_micros(random.below(2_000)),
            _ => Duration::MAX,
        };
        match random.below(3) {
            // Answered by a hedge, if the ratio of hedges has room for that.
            _ if act == HANG_FIRST => note(&mut ends, patience, brisk.hedged(act)).await,
            0 => note(&mut ends, patience, client.read(act)).await,
            1 => note(&mut ends, patience, client.hedged(act)).await,
            _ => note(&mut ends, patience, client.write(act)).await,
        }
    }
    ends
}

async fn note(
    ends: &mut Ends,
    patience: Duration,
    call: impl Future<Output = Result<u64, Trouble>>,
) {
    match tokio::time::timeout(patience, call).await {
        Ok(answer) => ends.note_answer(answer),
        Err(_) => ends.note(Code::Cancelled, false),
    }
}

struct Instance {
    handlers: Handlers,
    proxy: Proxy,
    _server: Running,
}

impl Instance {
    async fn start() -> Self {
        let (handlers, proxy) = (Handlers::default(), Proxy::listen().await);
        let server = Server::builder().add(ActorServer::new(handlers.clone()));
        let server = server.start("tcp://127.0.0.1:0").await.unwrap();
        proxy.forward_to(&server.address().to_string());
        Self {
            handlers,
            proxy,
            _server: server,
        }
    }
}

/// How the calls are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// With an observer and times, one of the instances over MessagePack-RPC.
    Observed,
    /// With nobody who watches: on the usual course, as far as that goes.
    Usual,
}

async fn cluster(instances: &[Instance], course: Course, counter: &Arc<Counter>) -> Cluster {
    let addresses = instances.iter().enumerate().map(|(number, instance)| {
        let address = instance.proxy.address();
        match (course, number) {
            (Course::Observed, 0) => address.replace("tcp://", "doge://"),
            _ => address,
        }
    });
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses(addresses));
    let backoff = Backoff {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(5),
        ..Backoff::default()
    };
    let cluster = ActorClient::cluster()
        .registry(&registry)
        .pool(&ChannelPool::default())
        .channel(ChannelConfig {
            backoff,
            ..ChannelConfig::default()
        })
        .retry_budget(RetryBudget {
            ratio: 0.5,
            ..RetryBudget::default()
        });
    let cluster = match course {
        Course::Observed => cluster.timed(true).observer(Arc::clone(counter)),
        Course::Usual => cluster,
    };
    cluster.follow().await.unwrap()
}

/// Makes so many calls while connections are cut, and checks that all who count say the same. What was counted.
async fn all_agree(calls: u64, course: Course) -> Counts {
    let counter = Arc::new(Counter::default());
    let instances = [
        Instance::start().await,
        Instance::start().await,
        Instance::start().await,
    ];
    let cluster = cluster(&instances, course, &counter).await;
    let options = CallOptions::new().wait_for_ready(course == Course::Observed);
    let client = ActorClient::new(cluster.clone()).with(options.timeout(Duration::from_secs(5)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| tokio::spawn(caller(number, calls / CALLERS, client.clone())))
        .collect();
    let cutting = tokio::spawn({
        let proxies = instances.each_ref().map(|it| it.proxy.clone());
        let cluster = cluster.clone();
        async move {
            let (mut random, mut next) = (Random(99), 0);
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                let ended = cluster.stats().calls_ended.total();
                if ended >= next {
                    proxies[random.below(3) as usize].cut();
                    next = ended + 50 + random.below(200);
                }
            }
        }
    });
    let mut noted = Ends::default();
    for caller in callers {
        noted.add(caller.await.unwrap());
    }
    cutting.abort();
    assert_eq!(noted.total(), calls / CALLERS * CALLERS);

    // The last calls may have ejected an endpoint, which the monitor tells a moment later.
    let ejections = || counter.0.lock().unwrap().ejections;
    until(|| course == Course::Usual || cluster.stats().ejections == ejections()).await;
    let (stats, seen) = (cluster.stats(), counter.0.lock().unwrap().clone());
    let counted = |ended: &EndedCalls| Ends {
        codes: ended.codes.clone(),
        application_errors: ended.application_errors,
    };
    if course == Course::Usual {
        assert_eq!(counted(&stats.calls_ended), noted, "statistics");
        assert_eq!(stats.calls, noted.total());
        assert_eq!(stats.attempts, stats.attempts_ended.total());
        let mut failures = BTreeMap::new();
        for endpoint in &stats.endpoints {
            assert_eq!(endpoint.in_flight, 0, "at {}", endpoint.address);
            for (code, count) in &endpoint.failures {
                *failures.entry(*code).or_default() += count;
            }
        }
        let mut failed = stats.attempts_ended.codes.clone();
        failed.remove(&Code::Ok);
        assert_eq!(failures, failed, "of the endpoints, and of all attempts");
        return Counts {
            calls: stats.calls,
            calls_ended: noted,
            attempts: stats.attempts,
            attempts_ended: counted(&stats.attempts_ended),
            retries: stats.retries,
            hedges: stats.hedges,
            hedges_won: stats.hedges_won,
            ..Counts::default()
        };
    }
    let texts = seen.calls_ended.application_errors - noted.application_errors;
    let noted = noted.with_texts(texts);
    assert_eq!(seen.calls_ended, noted, "the observer and the callers");
    assert_eq!(seen.calls, noted.total());
    assert_eq!(
        seen.attempts,
        seen.attempts_ended.total(),
        "attempts that began, and that ended"
    );
    assert_eq!(counted(&stats.calls_ended), noted, "statistics");
    assert_eq!(counted(&stats.attempts_ended), seen.attempts_ended);
    assert_eq!((stats.calls, stats.attempts), (seen.calls, seen.attempts));
    assert_eq!(stats.call_latencies.unwrap().count(), seen.calls);
    assert_eq!(stats.attempt_latencies.unwrap().count(), seen.attempts);
    assert_eq!(
        (stats.retries, stats.hedges, stats.hedges_won),
        (seen.retries, seen.hedges, seen.hedges_won)
    );
    assert_eq!(stats.budget_empty, seen.budget_empty);
    assert_eq!(stats.ejections, seen.ejections);
    for endpoint in &stats.endpoints {
        let failures = seen.failures.get(&endpoint.address).cloned();
        assert_eq!(endpoint.failures, failures.unwrap_or_default());
        assert_eq!(endpoint.in_flight, 0, "at {}", endpoint.address);
    }
    // Some answers are lost on the way, and of two attempts of a call one is given up.
    let answered: u64 = instances
        .iter()
        .map(|it| it.handlers.0.load(Ordering::Relaxed))
        .sum();
    let results = noted.codes[&Code::Ok] - noted.application_errors;
    assert!(results <= answered, "{results} of {answered}");

    drop((client, cluster));
    // Each connection that was opened is closed in the end.
    let all_closed = || {
        let counts = counter.0.lock().unwrap();
        counts.opened == counts.closed
    };
    soon(until(all_closed)).await;
    seen
}

/// That the calls were of all kinds.
fn of_all_kinds(seen: &Counts) {
    for code in [
        Code::Ok,
        Code::Cancelled,
        Code::DeadlineExceeded,
        Code::Unavailable,
        Code::Internal,
        Code::NotFound,
    ] {
        assert!(seen.calls_ended.codes.contains_key(&code), "{code}");
        assert!(seen.attempts_ended.codes.contains_key(&code), "{code}");
    }
    assert!(seen.calls_ended.application_errors > 0);
    assert!(seen.retries > 0 && seen.hedges > 0 && seen.hedges_won > 0);
}

#[tokio::test]
async fn thousands_of_random_calls_are_all_accounted_for() {
    for course in [Course::Observed, Course::Usual] {
        of_all_kinds(&all_agree(4_000, course).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_several_threads_as_well() {
    for course in [Course::Observed, Course::Usual] {
        of_all_kinds(&all_agree(4_000, course).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "nightly: takes minutes"]
async fn a_million_random_calls_are_all_accounted_for() {
    const CALLS: u64 = 1_000_000;
    for course in [Course::Observed, Course::Usual] {
        let seen = all_agree(CALLS, course).await;
        of_all_kinds(&seen);
        let (codes, attempts) = (seen.calls_ended.codes, seen.attempts);
        let (retries, hedges) = (seen.retries, seen.hedges);
        println!(
            "figure: of {CALLS} random calls over cut connections ({course:?}), all who count say {codes:?}, in \
             {attempts} attempts, {retries} of them retries and {hedges} hedges"
        );
    }
}
