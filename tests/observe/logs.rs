//! What the log says of calls: spans, and lines.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use doge_rpc::{Code, client::Client, prelude::*};
use tracing::{level_filters::LevelFilter, subscriber::DefaultGuard};
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    common::{patient, until},
    recorder::Recorder,
    subject::{Handlers, Subject as _, SubjectClient, layered},
};

/// The log of this thread, which in these tests is all there is.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Captures until the guard is dropped.
    pub(crate) fn capture(level: LevelFilter) -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn lines(&self, which: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().filter(|line| line.contains(which));
        lines.map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_handler_runs_within_the_span_of_its_call() {
    for with_layers in [false, true] {
        let (log, _guard) = Log::capture(LevelFilter::INFO);
        let (handlers, recorder) = (Handlers::default(), Recorder::default());
        let mut server = handlers.server(&recorder);
        if with_layers {
            server = layered(server, 10);
        }
        let server = server.start("tcp://127.0.0.1:0").await.unwrap();
        let client = SubjectClient::connect(server.address())
            .unwrap()
            .with(patient());
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
async fn an_ended_call_is_a_line_within_its_span_which_has_the_code() {
    let (log, _guard) = Log::capture(LevelFilter::DEBUG);
    let handlers = Handlers::default();
    // Nobody observes it.
    let server = Server::builder().add(crate::subject::SubjectServer::new(handlers.clone()));
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let client = SubjectClient::connect(server.address())
        .unwrap()
        .with(patient());
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
    let handlers = Handlers::default();
    let server = handlers.server(&Recorder::default());
    let server = server.sampler(|request| request.metadata().get("trace").is_some());
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let client = SubjectClient::connect(server.address())
        .unwrap()
        .with(patient());
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
    let (handlers, recorder) = (Handlers::default(), Recorder::default());
    let server = handlers
        .server(&recorder)
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let client = SubjectClient::connect(server.address()).unwrap();
    client.argue(false).await.unwrap_err();
    client
        .fail(false, Code::DeadlineExceeded.as_u8())
        .await
        .unwrap_err();
    assert_eq!(log.lines("doge::call"), [""; 0]);

    let hurried = CallOptions::new().timeout(Duration::from_millis(20));
    client.with(hurried).hang().await.unwrap_err();
    recorder.until_ended(3).await;
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
    let (handlers, recorder) = (Handlers::default(), Recorder::default());
    let server = handlers
        .server(&recorder)
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let client = SubjectClient::connect(server.address())
        .unwrap()
        .with(patient());
    client.panic(true).await.unwrap_err();
    recorder.until_ended(1).await;
    let lines = log.lines("");
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in ["ERROR", "subject/panic", "tcp://127.0.0.1:"] {
        assert!(lines[0].contains(part), "{part}: {lines:?}");
    }
}

#[tokio::test]
async fn a_flood_of_refusals_is_a_bounded_number_of_lines() {
    const CALLS: usize = 500;
    let (log, _guard) = Log::capture(LevelFilter::WARN);
    let (handlers, recorder) = (Handlers::default(), Recorder::default());
    let server = handlers
        .server(&recorder)
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
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
    crate::common::soon(told).await;
}
