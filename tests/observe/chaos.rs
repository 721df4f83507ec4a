//! Many random calls over connections that break: what is observed, counted and noted by handlers and callers agrees.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use doge_rpc::{
    Code,
    client::{Backoff, Channel, ChannelConfig, Client},
    observe::RefusalReason,
    prelude::*,
    server::Running,
};

use crate::{
    common::{Proxy, Random, soon, until},
    recorder::Recorder,
    subject::{Handlers, Subject as _, SubjectClient, layered},
    world::World,
};

/// What a caller saw of its calls, by code.
type Outcomes = BTreeMap<Code, u64>;

const CALLERS: u64 = 16;

/// Calls at random for so often.
async fn caller(number: u64, calls: u64, address: String) -> Outcomes {
    // Where it does not wait for a connection, most calls would fail without one.
    let options = CallOptions::new().wait_for_ready(true);
    let options = options.timeout(Duration::from_secs(5));
    let backoff = Backoff {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(5),
        ..Backoff::default()
    };
    let config = ChannelConfig {
        backoff,
        ..ChannelConfig::default()
    };
    let channel = Channel::with_config(address.parse().unwrap(), config);
    let client = SubjectClient::new(channel.clone()).with(options.clone());
    let untyped = Client::from(channel).untyped("subject").with(options);
    let (mut random, mut outcomes) = (Random(number), Outcomes::new());
    for _ in 0..calls {
        let wait = random.below(2) == 0;
        let hurried = || {
            let options = CallOptions::new().timeout(Duration::from_millis(3));
            client.clone().with(options)
        };
        let code = match random.below(12) {
            0..=3 => code_of(client.answer(wait).await),
            4 => match client.argue(wait).await {
                Err(crate::subject::Trouble::Status(status)) => status.code(),
                _ => Code::Ok,
            },
            5 => code_of(client.fail(wait, 2 + random.below(15) as u8).await),
            6 => code_of(client.panic(wait).await),
            7 => code_of(hurried().hang().await),
            8 => code_of(hurried().answer(wait).await),
            9 => {
                // The caller gives the call up at a moment of its own.
                let patience = Duration::from_micros(random.below(2_000));
                match tokio::time::timeout(patience, client.hang()).await {
                    Ok(answer) => code_of(answer),
                    Err(_) => Code::Cancelled,
                }
            }
            10 => {
                let patience = Duration::from_micros(random.below(500));
                match tokio::time::timeout(patience, client.answer(wait)).await {
                    Ok(answer) => code_of(answer),
                    Err(_) => Code::Cancelled,
                }
            }
            _ => code_of(untyped.call::<u64>("made_up", ()).await),
        };
        *outcomes.entry(code).or_default() += 1;
    }
    outcomes
}

fn code_of<T>(answer: Result<T, Status>) -> Code {
    answer.map_or_else(|status| status.code(), |_| Code::Ok)
}

struct Chaos {
    handlers: Handlers,
    recorder: Recorder,
    server: Running,
    seen: Outcomes,
}

impl Chaos {
    /// Makes so many calls, while connections are cut.
    async fn of(calls: u64, with_layers: bool) -> Self {
        let world = World::with(|server| {
            // Few enough that some calls find the server full.
            let server = server.timed(true).max_calls(8);
            match with_layers {
                true => layered(server, 6),
                false => server,
            }
        });
        let World {
            handlers,
            recorder,
            server,
        } = world.await;
        let proxy = Proxy::listen().await;
        proxy.forward_to(&server.address().to_string());
        let (native, msgpack_rpc) = (
            proxy.address(),
            proxy.address().replace("tcp://", "doge://"),
        );
        let callers: Vec<_> = (0..CALLERS)
            .map(|number| {
                let address = if number % 4 == 0 {
                    &msgpack_rpc
                } else {
                    &native
                };
                tokio::spawn(caller(number, calls / CALLERS, address.clone()))
            })
            .collect();
        let done = Arc::new(AtomicBool::new(false));
        let cutting = tokio::spawn({
            let (done, recorder) = (Arc::clone(&done), recorder.clone());
            async move {
                let (mut random, mut next) = (Random(99), 0);
                while !done.load(Ordering::Relaxed) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    if recorder.ended_count() >= next {
                        proxy.cut();
                        next = recorder.ended_count() + 50 + random.below(200);
                    }
                }
                proxy.cut();
            }
        });
        let mut seen = Outcomes::new();
        for caller in callers {
            for (code, calls) in caller.await.unwrap() {
                *seen.entry(code).or_default() += calls;
            }
        }
        done.store(true, Ordering::Relaxed);
        cutting.await.unwrap();
        soon(async { handlers.until_running(0).await }).await;
        until(|| {
            let stats = server.stats();
            stats.connections == 0 && stats.calls_running == 0
        })
        .await;
        // Who stops last says so last.
        until(|| recorder.started_count() == recorder.ended_count()).await;
        Self {
            handlers,
            recorder,
            server,
            seen,
        }
    }

    /// What holds on any runtime.
    fn agrees(&self, calls: u64) {
        self.recorder.agrees_with(&self.server);
        let stats = self.server.stats();
        let sum = |count: fn(&doge_rpc::server::MethodStats) -> u64| -> u64 {
            stats.methods.iter().map(count).sum()
        };
        assert_eq!(self.seen.values().sum::<u64>(), calls);
        // Callers cannot know more answers than the server gave; it gave some that were lost on the way.
        let answered = self.recorder.ended_by_code();
        for code in [Code::Ok, Code::NotFound, Code::Internal, Code::DataLoss] {
            let (seen, given) = (self.seen.get(&code), answered.get(&code));
            assert!(seen <= given, "{code}: {seen:?} seen, {given:?} given");
            assert!(
                seen.is_some_and(|calls| *calls > 0),
                "{code}: the test tests nothing"
            );
        }
        assert!(answered[&Code::Cancelled] > 0 && answered[&Code::DeadlineExceeded] > 0);
        // Each call of a method that does not exist was refused, unless its connection broke.
        let unknown = stats.other().unwrap();
        assert_eq!(unknown.started, 0);
        let refused = unknown.refused[&RefusalReason::UnknownMethod];
        assert!(self.seen[&Code::Unimplemented] <= refused + answered[&Code::Unimplemented]);
        let timed = sum(|it| it.latency.map_or(0, |latency| latency.count()));
        assert_eq!(timed, sum(|it| it.ended.values().sum()));
        // Of handlers that were dropped, only the server knows why.
        let noted = self.handlers.noted();
        let ended: u64 = noted.answered.values().sum::<u64>() + noted.dropped;
        assert_eq!(noted.started, ended);
        // A layer held some back, and some ended before their task had its first turn.
        assert!(noted.started <= sum(|it| it.started));
    }

    /// What holds on one thread, where nothing comes between the answer of a handler and the end of its call.
    fn agrees_with_handlers(&self) {
        let noted = self.handlers.noted();
        let ended = self.recorder.ended_by_code();
        for code in Code::ALL {
            // What handlers did not answer ended with one of these: of the deadline, of the caller, of its connection.
            if matches!(
                code,
                Code::Cancelled | Code::DeadlineExceeded | Code::ResourceExhausted
            ) {
                continue;
            }
            assert_eq!(ended.get(&code), noted.answered.get(&code), "{code}");
        }
    }
}

#[tokio::test]
async fn thousands_of_random_calls_are_all_accounted_for() {
    const CALLS: u64 = 4_000;
    let chaos = Chaos::of(CALLS, false).await;
    chaos.agrees(CALLS);
    chaos.agrees_with_handlers();
}

#[tokio::test]
async fn thousands_of_random_calls_through_layers_are_all_accounted_for() {
    const CALLS: u64 = 4_000;
    let chaos = Chaos::of(CALLS, true).await;
    chaos.agrees(CALLS);
    chaos.agrees_with_handlers();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_several_threads_as_well() {
    const CALLS: u64 = 4_000;
    Chaos::of(CALLS, false).await.agrees(CALLS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "nightly: takes minutes"]
async fn a_million_random_calls_are_all_accounted_for() {
    const CALLS: u64 = 1_000_000;
    let chaos = Chaos::of(CALLS, true).await;
    chaos.agrees(CALLS);
    let ended = chaos.recorder.ended_by_code();
    println!("figure: of {CALLS} random calls over cut connections, the server ended {ended:?}");
}
