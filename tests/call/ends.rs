//! However a call ends, the layers around its handler see it, with the code that its caller gets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use doge_rpc::{call::Route, prelude::*};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    common::{patient, soon, until},
    lives::{Life, Probing, reach},
};

#[service(name = "call.ends")]
trait Ends {
    async fn end(&self, how: How) -> Result<u8, Trouble>;
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum How {
    Answer,
    Refuse,
    Status,
    PanicAtOnce,
    PanicLater,
    Hang,
    Burn,
}

#[derive(Debug, PartialEq, Error, Serialize, Deserialize)]
enum Trouble {
    #[error("no")]
    No,
    #[error(transparent)]
    Status(#[from] Status),
}

#[derive(Clone, Default)]
struct Ender(Arc<AtomicUsize>);

impl Ends for Ender {
    async fn end(&self, how: How) -> Result<u8, Trouble> {
        self.0.fetch_add(1, Ordering::SeqCst);
        match how {
            How::Answer => Ok(7),
            How::Refuse => Err(Trouble::No),
            How::Status => Err(Status::unavailable("the database is away").into()),
            How::PanicAtOnce => panic!("asked to"),
            How::PanicLater => {
                tokio::task::yield_now().await;
                panic!("asked to")
            }
            How::Hang => std::future::pending().await,
            How::Burn => {
                // Leaves its thread to others, and never listens to anybody.
                loop {
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}

const HASTY: Duration = Duration::from_millis(50);

/// The code of an error; `None` for an error of the application.
fn code_of(error: &Trouble) -> Option<Code> {
    match error {
        Trouble::No => None,
        Trouble::Status(status) => Some(status.code()),
    }
}

#[tokio::test]
async fn a_layer_sees_each_end_as_the_caller_does() {
    for life in Life::NATIVE {
        for (how, expected) in [
            (How::Answer, Ok(7)),
            (How::Refuse, Err(None)),
            (How::Status, Err(Some(Code::Unavailable))),
            (How::PanicAtOnce, Err(Some(Code::Internal))),
            (How::PanicLater, Err(Some(Code::Internal))),
            (How::Hang, Err(Some(Code::DeadlineExceeded))),
            (How::Burn, Err(Some(Code::DeadlineExceeded))),
        ] {
            let layer = Probing::nothing();
            let reached = reach(life, EndsServer::new(Ender::default()), layer.clone()).await;
            let timeout = match how {
                How::Hang | How::Burn => CallOptions::new().timeout(HASTY),
                _ => patient(),
            };
            let client = EndsClient::new(reached.client.with(timeout));
            let answer = soon(client.end(how)).await;
            let caller = answer.as_ref().copied().map_err(code_of);
            assert_eq!(caller, expected, "{life:?} {how:?}");
            let seen = match layer.end().await {
                Ok(false) => Ok(7),
                Ok(true) => Err(None),
                Err(status) => Err(Some(status.code())),
            };
            assert_eq!(seen, expected, "{life:?} {how:?}");
        }
    }
}

/// The dialect has no codes: what its callers know of an end is its text.
#[tokio::test]
async fn a_layer_sees_each_end_of_a_call_over_messagepack_rpc() {
    for (how, seen, text) in [
        (How::Answer, Ok(false), ""),
        (How::Refuse, Ok(true), "no"),
        (How::Status, Err(Code::Unavailable), "the database is away"),
        (How::PanicLater, Err(Code::Internal), "the handler panicked"),
    ] {
        let layer = Probing::nothing();
        let reached = reach(Life::Doge, EndsServer::new(Ender::default()), layer.clone()).await;
        let client = reached.client.with(patient()).untyped("call.ends");
        let answer = soon(client.call::<u8>("end", (how,))).await;
        assert_eq!(
            answer.map_err(|status| status.message().to_owned()),
            match text {
                "" => Ok(7),
                text => Err(text.to_owned()),
            }
        );
        assert_eq!(layer.end().await.map_err(|status| status.code()), seen);
    }
}

#[tokio::test]
async fn a_layer_sees_that_the_caller_gave_the_call_up() {
    let remote = Life::ALL.into_iter().filter(|life| *life != Life::Local);
    for life in remote {
        for how in [How::Hang, How::Burn] {
            let (layer, ender) = (Probing::nothing(), Ender::default());
            let reached = reach(life, EndsServer::new(ender.clone()), layer.clone()).await;
            let client = EndsClient::new(reached.client.with(patient()));
            let call = tokio::spawn(async move { client.end(how).await });
            until(|| ender.0.load(Ordering::SeqCst) == 1).await;
            call.abort();
            let status = layer.end().await.unwrap_err();
            assert_eq!(status.code(), Code::Cancelled, "{life:?} {how:?}");
            // Over MessagePack-RPC a call is given up by hanging up.
            let why = match life {
                Life::Doge => "the connection to the caller was lost",
                _ => "the caller gave the call up",
            };
            assert!(status.message().contains(why), "{life:?} {how:?}: {status}");
        }
    }
}

#[tokio::test]
async fn what_a_layer_refuses_never_ran() {
    for life in Life::NATIVE {
        let layer = Probing::new(|_| Err(Status::unauthenticated("no token")));
        let ender = Ender::default();
        let reached = reach(life, EndsServer::new(ender.clone()), layer).await;
        let client = EndsClient::new(reached.client.with(patient()));
        let Err(Trouble::Status(status)) = client.end(How::Answer).await else {
            panic!("it is refused");
        };
        assert_eq!(status.code(), Code::Unauthenticated);
        // In process there is no server that knows.
        assert_eq!(status.never_ran(), life != Life::Local, "{life:?}");
        assert_eq!(ender.0.load(Ordering::SeqCst), 0);
    }
}

/// A layer that waits before it lets the call through, and tells when it is dropped.
#[tokio::test]
async fn a_call_that_waits_in_a_layer_is_ended_from_outside_and_never_ran() {
    let ender = Ender::default();
    let waiting = tower::util::MapFutureLayer::new(|_| {
        std::future::pending::<Result<doge_rpc::Response, tower::BoxError>>()
    });
    let server = Server::builder().add(EndsServer::new(ender.clone()));
    let server = server
        .layer(waiting)
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let client = EndsClient::connect(server.address()).unwrap();
    let client = client.with(CallOptions::new().timeout(HASTY));
    let error = soon(client.end(How::Answer)).await.unwrap_err();
    assert_eq!(code_of(&error), Some(Code::DeadlineExceeded));
    server.drain().await;
    assert_eq!(ender.0.load(Ordering::SeqCst), 0);
}

/// A request that a layer makes anew may run, and so is no proof that nothing ran.
#[tokio::test]
async fn a_layer_that_serves_another_request_and_then_refuses_is_not_said_never_to_have_run() {
    let ender = Ender::default();
    let other = EndsServer::new(ender.clone());
    let layer = tower::util::MapRequestLayer::new(move |request: doge_rpc::Request| {
        let route = Route::named("call.ends", "end").unwrap();
        let own = doge_rpc::Request::new(route, request.bytes().clone(), request.deadline());
        let call = doge_rpc::call::handle(other.clone(), own);
        assert!(futures_util::FutureExt::now_or_never(call).is_some());
        request
    });
    let server = Server::builder()
        .add(EndsServer::new(ender.clone()))
        .layer(layer)
        .layer(Probing::new(|_| Err(Status::unavailable("no"))));
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let client = EndsClient::connect(server.address())
        .unwrap()
        .with(patient());
    let Err(Trouble::Status(status)) = client.end(How::Answer).await else {
        panic!("it is refused");
    };
    assert_eq!(
        (status.code(), status.never_ran()),
        (Code::Unavailable, false)
    );
    assert_eq!(ender.0.load(Ordering::SeqCst), 1);
}

/// Another call around it may have used up all the time.
#[tokio::test]
async fn a_call_that_begins_after_its_deadline_never_runs() {
    for life in Life::ALL {
        let (layer, ender) = (Probing::nothing(), Ender::default());
        let reached = reach(life, EndsServer::new(ender.clone()), layer.clone()).await;
        let client = EndsClient::new(reached.client.with(patient()));
        // Over a connection that stands.
        assert_eq!(client.end(How::Answer).await, Ok(7), "{life:?}");
        let late = client.with(CallOptions::new().timeout(Duration::ZERO));
        let Err(Trouble::Status(status)) = late.end(How::Answer).await else {
            panic!("{life:?}: it has no time");
        };
        assert_eq!(status.code(), Code::DeadlineExceeded, "{life:?}");
        assert!(status.never_ran(), "{life:?}");
        let text = status.message();
        assert!(text.starts_with("call.ends/end"), "{life:?}: {text}");
        assert_eq!(text.contains("://"), life != Life::Local, "{text}");
        let why = ": the deadline had passed before the call was sent";
        assert!(text.ends_with(why), "{life:?}: {text}");
        assert_eq!(ender.0.load(Ordering::SeqCst), 1, "{life:?}");
        assert_eq!(layer.ends().len(), 1, "{life:?}");
    }
}

/// That the layer's own call never ran says nothing of the call that the layer is around.
#[tokio::test]
async fn a_layer_that_calls_nobody_after_the_handler_does_not_say_that_the_handler_never_ran() {
    let ender = Ender::default();
    let layer = tower::util::AndThenLayer::new(|_: doge_rpc::Response| async {
        let nobody = EndsClient::connect("memory://nobody-audits-here").unwrap();
        let Err(Trouble::Status(status)) = nobody.end(How::Answer).await else {
            panic!("nobody answers");
        };
        assert!(status.never_ran());
        Err::<doge_rpc::Response, tower::BoxError>(status.into())
    });
    let server = Server::builder()
        .add(EndsServer::new(ender.clone()))
        .layer(layer);
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let client = EndsClient::connect(server.address())
        .unwrap()
        .with(patient());
    let Err(Trouble::Status(status)) = client.end(How::Answer).await else {
        panic!("it fails");
    };
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.is_passed_on());
    assert!(!status.never_ran(), "the handler has run");
    assert_eq!(ender.0.load(Ordering::SeqCst), 1);
}
