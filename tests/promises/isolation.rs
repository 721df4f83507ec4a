//! What one handler does, no other call feels.

use doge_rpc::prelude::*;

use crate::support::{Handlers, LIMIT, Probe, ProbeClient};

#[tokio::test]
async fn a_panicking_handler_answers_internal_at_once_and_takes_nothing_down() {
    let handlers = Handlers::default();
    let (_server, client) = handlers.connected().await;
    let beside = tokio::spawn({
        let client = client.clone();
        async move { client.gated().await }
    });
    handlers.until_running(1).await;

    for wait in [false, true] {
        let started = std::time::Instant::now();
        let status = client.panic(wait).await.unwrap_err();
        assert_eq!(status.code(), Code::Internal);
        assert_eq!(status.message(), "the handler panicked");
        assert!(started.elapsed() < LIMIT / 4, "it waited for the deadline");
    }
    assert_eq!(
        ProbeClient::local(handlers.clone())
            .panic(true)
            .await
            .unwrap_err()
            .code(),
        Code::Internal
    );
    handlers.open_gate();
    beside.await.unwrap().unwrap();
    assert_eq!(client.echo(7).await.unwrap(), 7);
}

#[tokio::test]
async fn a_handler_that_waits_holds_up_nobody_on_its_connection() {
    let handlers = Handlers::default();
    let (_server, client) = handlers.connected().await;
    let gated: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.gated().await })
        })
        .collect();
    handlers.until_running(20).await;
    for value in 0..100 {
        assert_eq!(client.echo(value).await.unwrap(), value);
    }
    (0..gated.len()).for_each(|_| handlers.open_gate());
    for call in gated {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_computes_is_moved_off_the_reading_task() {
    let handlers = Handlers::default();
    let (_server, client) = handlers.connected().await;
    // The first one is polled where it is read; from then on the method has tasks of its own.
    client.burn(20).await.unwrap();
    let heavy = tokio::spawn({
        let client = client.clone();
        async move { client.burn(500).await }
    });
    handlers.until_running(1).await;
    assert_eq!(client.echo(1).await.unwrap(), 1);
    assert!(
        !heavy.is_finished(),
        "an answer overtook the one that computes"
    );
    heavy.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn short_calls_never_wait_for_a_long_one() {
    let handlers = Handlers::default();
    let (_server, client) = handlers.connected().await;
    // One call that goes on for as long as the test: an answer of its own would cover a frame that nobody writes.
    let long = tokio::spawn({
        let client = client.clone();
        async move { client.gated().await }
    });
    handlers.until_running(1).await;
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let client = client.with(CallOptions::new().timeout(LIMIT / 2));
            tokio::spawn(async move {
                for value in 0..20_000 {
                    assert_eq!(client.echo(value).await.unwrap(), value);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    handlers.open_gate();
    // Its deadline may have passed meanwhile, on a slow machine.
    let _ = long.await.unwrap();
}

#[service(name = "other")]
trait Other {
    async fn name(&self) -> Result<String, Status>;
}

struct Named(&'static str);

impl Other for Named {
    async fn name(&self) -> Result<String, Status> {
        Ok(self.0.to_owned())
    }
}

#[tokio::test]
async fn several_services_share_a_port() {
    let server = Handlers::default()
        .server()
        .add(OtherServer::new(Named("other")));
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let channel = doge_rpc::client::Channel::new(server.address().clone());
    let (probe, other) = (ProbeClient::new(channel.clone()), OtherClient::new(channel));
    assert_eq!(probe.echo(1).await.unwrap(), 1);
    assert_eq!(other.name().await.unwrap(), "other");
}

#[tokio::test]
async fn two_services_of_one_name_are_refused_at_the_start() {
    let server = Server::builder()
        .add(OtherServer::new(Named("a")))
        .add(OtherServer::new(Named("b")));
    let error = server.start("tcp://127.0.0.1:0").await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("two services are called \"other\""),
        "{error}"
    );
}
