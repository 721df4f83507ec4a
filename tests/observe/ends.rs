//! Each way a dispatched call can end, on each transport, in both dialects, with and without layers.

use std::time::Duration;

use doge_rpc::{
    Code,
    client::{Channel, ChannelConfig},
    connection::Limits,
    observe::{Event, Observer},
    prelude::*,
    transport::Address,
};

use tracing::level_filters::LevelFilter;

use crate::{
    common::{Proxy, patient, soon, until},
    log::Log,
    recorder::{Recorder, Seen},
    subject::{Handlers, Subject as _, SubjectClient, SubjectServer, Trouble, layered},
    world::{World, client_of},
};

/// How callers reach the server.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Tcp,
    Unix,
    Memory,
    MsgpackRpc,
}

/// A world that is called in one way, and counts the calls that have ended.
struct Called {
    way: Way,
    world: World,
    ended: usize,
    _folder: tempfile::TempDir,
}

impl Called {
    async fn new(way: Way, with_layers: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = match way {
            Way::Tcp | Way::MsgpackRpc => "tcp://127.0.0.1:0".to_owned(),
            Way::Unix => format!("unix://{}/socket", folder.path().display()),
            Way::Memory => format!("memory://observe-{with_layers}"),
        };
        let world = World::at(&address, |server| match with_layers {
            true => layered(server.timed(true), 100),
            false => server.timed(true),
        });
        Self {
            way,
            world: world.await,
            ended: 0,
            _folder: folder,
        }
    }

    fn address(&self) -> String {
        let address = self.world.server.address().to_string();
        match self.way {
            Way::MsgpackRpc => address.replace("tcp://", "doge://"),
            _ => address,
        }
    }

    fn client(&self) -> SubjectClient {
        SubjectClient::connect(self.address())
            .unwrap()
            .with(patient())
    }

    /// Waits until another call has ended.
    async fn until_another_ended(&mut self) {
        self.ended += 1;
        self.world.recorder.until_ended(self.ended).await;
    }

    /// Waits until another call has ended, and checks that it ended like this.
    async fn ended(&mut self, method: &str, code: Code, is_application_error: bool) {
        self.until_another_ended().await;
        let last = self.world.recorder.all().pop().unwrap();
        let expected = Seen::Ended {
            method: method.into(),
            code,
            is_application_error,
            is_timed: true,
        };
        assert_eq!(last, expected);
    }
}

async fn every_way(way: Way, with_layers: bool) {
    let mut called = Called::new(way, with_layers).await;
    let client = called.client();
    let is_native = way != Way::MsgpackRpc;
    for wait in [false, true] {
        assert_eq!(client.answer(wait).await, Ok(7));
        called.ended("answer", Code::Ok, false).await;

        let error = client.argue(wait).await.unwrap_err();
        assert!(!is_native || error == Trouble::No, "{error:?}");
        called.ended("argue", Code::Ok, true).await;

        let error = client.fail(wait, Code::NotFound.as_u8()).await.unwrap_err();
        assert!(!is_native || error.code() == Code::NotFound, "{error:?}");
        called.ended("fail", Code::NotFound, false).await;

        let error = client.panic(wait).await.unwrap_err();
        assert!(!is_native || error.code() == Code::Internal, "{error:?}");
        called.ended("panic", Code::Internal, false).await;
    }

    // The deadline: whether the client says so or the server finds out is the same.
    let hurried = client
        .clone()
        .with(CallOptions::new().timeout(Duration::from_millis(30)));
    let error = hurried.hang().await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    called.until_another_ended().await;
    // A client of MessagePack-RPC can only hang up when its own clock is first.
    let last = called.world.recorder.all();
    let code = last.iter().rev().find_map(|it| match it {
        Seen::Ended { code, .. } => Some(*code),
        _ => None,
    });
    match is_native {
        true => assert_eq!(code, Some(Code::DeadlineExceeded)),
        false => assert!(matches!(
            code,
            Some(Code::DeadlineExceeded | Code::Cancelled)
        )),
    }

    // The caller gives it up.
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.hang().await }
    });
    called.world.handlers.until_running(1).await;
    call.abort();
    called.until_another_ended().await;
    assert_eq!(
        called.world.recorder.ended()[&("hang".to_owned(), Code::Cancelled)],
        1 + u64::from(code == Some(Code::Cancelled))
    );

    until(|| called.world.server.stats().calls_running == 0).await;
    called.world.recorder.agrees_with(&called.world.server);
    let stats = called.world.server.stats();
    let noted = called.world.handlers.noted();
    assert_eq!(
        stats.methods.iter().map(|it| it.started).sum::<u64>(),
        noted.started
    );
    for method in &stats.methods {
        let timed = method.latency.map_or(0, |latency| latency.count());
        assert_eq!(
            timed,
            method.ended.values().sum::<u64>(),
            "{}",
            method.method
        );
    }

    // The server ends: its figures are gone with it, and the observer is told.
    let call = tokio::spawn(async move { client.hang().await });
    called.world.handlers.until_running(1).await;
    assert_eq!(
        called
            .world
            .server
            .stats()
            .method("subject", "hang")
            .unwrap()
            .in_flight,
        1
    );
    drop(called.world.server);
    call.await.unwrap().unwrap_err();
    let recorder = &called.world.recorder;
    let cancelled = || recorder.ended()[&("hang".to_owned(), Code::Cancelled)];
    let before = u64::from(code == Some(Code::Cancelled));
    until(|| cancelled() == before + 2).await;
}

#[tokio::test]
async fn tcp() {
    every_way(Way::Tcp, false).await;
}

#[tokio::test]
async fn tcp_layered() {
    every_way(Way::Tcp, true).await;
}

#[cfg(unix)]
#[tokio::test]
async fn unix() {
    every_way(Way::Unix, false).await;
}

#[cfg(unix)]
#[tokio::test]
async fn unix_layered() {
    every_way(Way::Unix, true).await;
}

#[tokio::test]
async fn memory() {
    every_way(Way::Memory, false).await;
}

#[tokio::test]
async fn memory_layered() {
    every_way(Way::Memory, true).await;
}

#[tokio::test]
async fn msgpack_rpc() {
    every_way(Way::MsgpackRpc, false).await;
}

#[tokio::test]
async fn msgpack_rpc_layered() {
    every_way(Way::MsgpackRpc, true).await;
}

/// The server is authoritative: the caller only knows that the connection is gone.
#[tokio::test]
async fn a_lost_connection_cancels_its_calls() {
    for with_layers in [false, true] {
        let world = World::with(|server| match with_layers {
            true => layered(server, 100),
            false => server,
        });
        let world = world.await;
        let proxy = Proxy::listen().await;
        proxy.forward_to(&world.server.address().to_string());
        let client = SubjectClient::connect(proxy.address())
            .unwrap()
            .with(patient());
        let call = tokio::spawn(async move { client.hang().await });
        world.handlers.until_running(1).await;
        proxy.cut();
        let error = soon(call).await.unwrap().unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
        world.recorder.until_ended(1).await;
        until(|| world.server.stats().connections == 0).await;
        assert_eq!(
            world.recorder.ended()[&("hang".to_owned(), Code::Cancelled)],
            1
        );
        world.recorder.agrees_with(&world.server);
    }
}

/// Such a call has no handler that could answer; it is ended from outside.
#[tokio::test]
async fn a_call_that_waits_in_a_layer_ends_with_its_reason() {
    let World {
        handlers,
        recorder,
        server,
    } = World::with(|server| layered(server, 1)).await;
    let client = SubjectClient::connect(server.address()).unwrap();
    let first = tokio::spawn({
        let client = client.clone().with(patient());
        async move { client.hang().await }
    });
    handlers.until_running(1).await;

    let hurried = CallOptions::new().timeout(Duration::from_millis(30));
    let error = client
        .clone()
        .with(hurried)
        .answer(false)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    recorder.until_ended(1).await;

    let second = tokio::spawn({
        let client = client.clone().with(patient());
        async move { client.answer(false).await }
    });
    until(|| recorder.count(|it| matches!(it, Seen::Started(_))) == 3).await;
    second.abort();
    recorder.until_ended(2).await;
    first.abort();
    recorder.until_ended(3).await;

    let ended = [
        (("answer".to_owned(), Code::Cancelled), 1),
        (("answer".to_owned(), Code::DeadlineExceeded), 1),
        (("hang".to_owned(), Code::Cancelled), 1),
    ];
    assert_eq!(recorder.ended(), ended.into());
    assert_eq!(handlers.noted().started, 1);
    recorder.agrees_with(&server);
}

/// What the caller gets is what counts, not what the handler returned.
#[tokio::test]
async fn an_answer_that_cannot_travel_ends_with_the_status_that_takes_its_place() {
    let World {
        recorder, server, ..
    } = World::new().await;
    let config = ChannelConfig {
        limits: Limits {
            max_frame: 64 * 1024,
            ..Limits::default()
        },
        ..ChannelConfig::default()
    };
    let address: Address = server.address().to_string().parse().unwrap();
    let channel = Channel::with_config(address, config);
    let client = SubjectClient::new(channel).with(patient());
    for (calls, wait) in [(1, false), (2, true)] {
        let error = client.large(wait, 100_000).await.unwrap_err();
        assert_eq!(error.code(), Code::ResourceExhausted, "{error:?}");
        recorder.until_ended(calls).await;
        let ended = [(("large".to_owned(), Code::ResourceExhausted), calls as u64)];
        assert_eq!(recorder.ended(), ended.into());
    }
    recorder.agrees_with(&server);
}

/// An observer that panics.
#[derive(Debug)]
struct Broken;

impl Observer for Broken {
    fn observe(&self, _: &Event<'_>) {
        std::panic::resume_unwind(Box::new("broken"));
    }
}

#[tokio::test]
async fn an_observer_or_a_sampler_that_panics_harms_nothing() {
    let (handlers, recorder) = (Handlers::default(), Recorder::default());
    let server = Server::builder().observer(Broken);
    let server = server.add(SubjectServer::new(handlers.clone()));
    let server = server.observer(recorder.clone());
    let server = server.sampler(|_| std::panic::resume_unwind(Box::new("broken")));
    let (_log, _guard) = Log::capture(LevelFilter::INFO);
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let client = SubjectClient::connect(server.address()).unwrap();
    for wait in [false, true] {
        assert_eq!(client.answer(wait).await, Ok(7));
    }
    recorder.until_ended(2).await;
    recorder.agrees_with(&server);
    drop(server);
    until(|| recorder.count(|it| matches!(it, Seen::Closed(..))) == 1).await;
}

#[tokio::test]
async fn without_times_nothing_is_timed_and_every_observer_sees_every_call() {
    let two = Recorder::default();
    let World {
        recorder: one,
        server,
        ..
    } = World::with(|server| server.observer(two.clone())).await;
    let client = client_of(&server);
    client.answer(false).await.unwrap();
    client.answer(true).await.unwrap();
    one.until_ended(2).await;
    assert_eq!(
        one.count(|it| matches!(it, Seen::Ended { is_timed: true, .. })),
        0
    );
    assert_eq!(
        server.stats().method("subject", "answer").unwrap().latency,
        None
    );
    until(|| two.all() == one.all()).await;
}
