//! What the log says of calls: spans, and lines.

use std::time::Duration;

use doge_rpc::{Code, client::Client, prelude::*};
use tracing::level_filters::LevelFilter;

use crate::{
    common::{soon, until},
    log::Log,
    subject::{Handlers, Subject as _, SubjectServer, layered},
    world::{World, client_of},
};

#[tokio::test]
async fn a_handler_runs_within_the_span_of_its_call() {
    for with_layers in [false, true] {
        let (log, _guard) = Log::capture(LevelFilter::INFO);
        let world = World::with(|server| match with_layers {
            true => layered(server, 10),
            false => server,
        });
        let world = world.await;
        let client = world.client();
        for wait in [false, true] {
            client.talk(wait).await.unwrap();
        }
        for said in ["before", "after"] {
            let lines = log.lines(said);
            assert_eq!(lines.len(), 2, "{lines:?}");
            for line in lines {
                for part in ["call{", "method=subject/talk", "peer=tcp://127.0.0.1:"] {
                    assert!(line.contains(part), "{part}: {line}");
                }
            }
        }
        let serving = log.lines("serving");
        assert!(serving[0].contains("services=\"subject\""), "{serving:?}");
    }
}

#[tokio::test]
async fn a_registry_that_registers_nothing_is_a_warning_that_says_what_to_do() {
    for (url, warnings) in [("static:tcp://10.0.0.1:4399", 1), ("memory:", 0)] {
        let (log, _guard) = Log::capture(LevelFilter::WARN);
        let registry = doge_rpc::registry::open(url).unwrap();
        let server = Server::builder().add(SubjectServer::new(Handlers::default()));
        let server = server.registry(&registry).start("tcp://127.0.0.1:0");
        let server = server.await.unwrap();
        assert_eq!(log.lines("").len(), warnings, "{:?}", log.lines(""));
        if warnings == 1 {
            let address = server.address().to_string();
            log.is_one_line_saying(&["tcp://10.0.0.1:4399", "registers nothing", &address]);
        }
    }
}

#[tokio::test]
async fn an_ended_call_is_a_line_within_its_span_which_has_the_code() {
    let (log, _guard) = Log::capture(LevelFilter::DEBUG);
    // Nobody observes it.
    let server = Server::builder().add(SubjectServer::new(Handlers::default()));
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let client = client_of(&server);
    client.answer(false).await.unwrap();
    client.fail(true, Code::NotFound.as_u8()).await.unwrap_err();
    // The client has lines of its own, which name no peer.
    let ended = || {
        let lines = log.lines("call ended").into_iter();
        lines
            .filter(|line| line.contains("peer="))
            .collect::<Vec<_>>()
    };
    until(|| ended().len() == 2).await;
    let lines = ended();
    for (line, method, code) in [
        (&lines[0], "subject/answer", "ok"),
        (&lines[1], "subject/fail", "not found"),
    ] {
        assert!(line.contains("DEBUG call{"), "{line}");
        assert!(line.contains(&format!("method={method}")), "{line}");
        // Once of the span, and once of the line.
        assert_eq!(line.matches(&format!("code={code}")).count(), 2, "{line}");
    }
}

#[tokio::test]
async fn the_sampler_says_which_calls_have_a_span() {
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    let world =
        World::with(|server| server.sampler(|request| request.metadata().get("trace").is_some()));
    let world = world.await;
    let client = world.client();
    client.talk(false).await.unwrap();
    let traced = CallOptions::new().metadata("trace", "1").unwrap();
    client.with(traced).talk(true).await.unwrap();
    let lines = log.lines("before");
    let in_span: Vec<_> = lines.iter().map(|line| line.contains("call{")).collect();
    assert_eq!(in_span, [false, true], "{lines:?}");
}

#[tokio::test]
async fn what_the_framework_ends_is_a_warning_and_what_a_handler_says_is_none() {
    let (log, _guard) = Log::capture(LevelFilter::WARN);
    let world = World::new().await;
    let client = world.client();
    client.argue(false).await.unwrap_err();
    client
        .fail(false, Code::DeadlineExceeded.as_u8())
        .await
        .unwrap_err();
    assert_eq!(log.lines("doge::call"), [""; 0]);

    let hurried = CallOptions::new().timeout(Duration::from_millis(20));
    client.with(hurried).hang().await.unwrap_err();
    world.recorder.until_ended(3).await;
    let lines = log.lines("doge::call");
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in [
        "WARN",
        "call failed",
        "method=subject/hang",
        "code=deadline exceeded",
        "peer=tcp://",
    ] {
        assert!(lines[0].contains(part), "{part}: {lines:?}");
    }
}

#[tokio::test]
async fn a_panic_says_method_and_peer_and_is_no_warning_besides() {
    let (log, _guard) = Log::capture(LevelFilter::WARN);
    let world = World::new().await;
    let client = world.client();
    client.panic(true).await.unwrap_err();
    world.recorder.until_ended(1).await;
    log.is_one_line_saying(&["ERROR", "subject/panic", "tcp://127.0.0.1:"]);
}

#[tokio::test]
async fn a_flood_of_refusals_is_a_bounded_number_of_lines() {
    const CALLS: usize = 500;
    let (log, _guard) = Log::capture(LevelFilter::WARN);
    let World { server, .. } = World::new().await;
    let client = Client::connect(server.address())
        .unwrap()
        .untyped("subject");
    let started = std::time::Instant::now();
    for call in 0..CALLS {
        let method = format!("made\u{1b}[31m_up_{call}");
        client.call::<()>(&method, ()).await.unwrap_err();
    }
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
    let lines = log.lines("call refused");
    assert!(
        !lines.is_empty() && lines.len() <= 10 * (seconds + 1),
        "{}",
        lines.len()
    );
    for line in &lines {
        assert!(
            line.contains("_OTHER") && line.contains("unknown method"),
            "{line}"
        );
        assert!(
            !line.contains('\u{1b}'),
            "what a peer makes up reaches no terminal raw"
        );
    }
    let stats = server.stats();
    assert_eq!(
        stats.other().unwrap().refused.values().sum::<u64>(),
        CALLS as u64
    );

    // The next line says how many there were besides.
    let told = async {
        loop {
            client.call::<()>("next", ()).await.unwrap_err();
            let lines = log.lines("call refused");
            let last = lines.last().unwrap();
            if !last.contains("suppressed=0") {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    soon(told).await;
}
