//! Spans and log lines of the target `doge::call`.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use doge_rpc::{
    Status,
    client::{ChannelPool, Failover, Failsafe, Strategy},
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, SubscriberExt as _},
    registry::LookupSpan,
};

use crate::common::{Act, Fleet, Probe};

/// Spans as `call{fields}` when they close, and lines as `LEVEL message{fields}`, of the target alone.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.0.insert_str(0, &format!("{value:?} ")),
            name => write!(self.0, "{name}={value:?} ").unwrap(),
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        let mut text = Text(String::new());
        attributes.record(&mut text);
        let span = cx.span(id).unwrap();
        span.extensions_mut().insert(text);
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, cx: Context<'_, S>) {
        let span = cx.span(id).unwrap();
        record.record(span.extensions_mut().get_mut::<Text>().unwrap());
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        if event.metadata().target() != "doge::call" {
            return;
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        let within = cx.event_span(event).map_or("", |span| span.name());
        let line = format!("{} in:{within} {}", event.metadata().level(), text.0);
        self.0.lock().unwrap().push(line);
    }

    fn on_close(&self, id: Id, cx: Context<'_, S>) {
        let span = cx.span(&id).unwrap();
        if span.metadata().target() == "doge::call" {
            let parent = span.parent().map_or("", |parent| parent.name());
            let extensions = span.extensions();
            let text = &extensions.get::<Text>().unwrap().0;
            let line = format!("SPAN {} in:{parent} {text}", span.name());
            self.0.lock().unwrap().push(line);
        }
    }
}

impl Lines {
    /// Captures what this thread says, up to this level.
    fn capture(level: Level) -> (Self, DefaultGuard) {
        let lines = Self::default();
        let subscriber = Registry::default()
            .with(LevelFilter::from_level(level))
            .with(lines.clone());
        (lines, tracing::subscriber::set_default(subscriber))
    }

    /// What was captured, of clients alone.
    fn take(&self) -> Vec<String> {
        let mut lines = std::mem::take(&mut *self.0.lock().unwrap());
        lines.retain(|line| !line.contains("otel.kind=\"server\"") && !line.contains("peer="));
        lines
    }
}

#[track_caller]
fn says(line: &str, words: &[&str]) {
    for word in words {
        assert!(line.contains(word), "{word}: {line}");
    }
}

#[tokio::test]
async fn a_call_has_a_span_and_a_line_and_its_further_attempts_have_spans() {
    let fleet = Fleet::of(2).await;
    let strategy = Strategy::Failover(Failover {
        longest_pause: Duration::ZERO,
        ..Failover::default()
    });
    let builder = fleet.cluster().strategy(strategy);
    let builder = builder.sampler(|request| request.route().method() != "write");
    let (_cluster, client) = fleet.follow(builder).await;
    let (lines, _guard) = Lines::capture(Level::DEBUG);

    client.read(1).await.unwrap();
    let said = lines.take();
    assert_eq!(said.len(), 2, "{said:?}");
    says(
        &said[0],
        &[
            "DEBUG in:call call ended",
            "method=probe/read",
            "code=ok",
            "attempts=1",
        ],
    );
    says(
        &said[1],
        &[
            "SPAN call in: ",
            "method=probe/read",
            "attempts=1",
            "code=ok",
        ],
    );

    fleet.next(Act::break_off());
    client.read(1).await.unwrap();
    let said = lines.take();
    assert_eq!(said.len(), 3, "{said:?}");
    says(
        &said[0],
        &[
            "SPAN attempt in:call",
            "address=tcp://",
            "number=1",
            "code=ok",
        ],
    );
    says(&said[1], &["DEBUG in:call call ended", "attempts=2"]);
    says(&said[2], &["SPAN call in: ", "attempts=2", "code=ok"]);

    // The sampler wants no span of that.
    client.write().await.unwrap();
    let said = lines.take();
    assert_eq!(said.len(), 1, "{said:?}");
    says(&said[0], &["DEBUG in: call ended", "method=probe/write"]);
}

#[tokio::test]
async fn failures_of_the_framework_are_warnings_that_are_bounded() {
    let fleet = Fleet::empty();
    let cluster = fleet.cluster().follow().await.unwrap();
    let client = crate::common::ProbeClient::new(cluster);
    let (lines, _guard) = Lines::capture(Level::WARN);
    tokio::time::pause();
    for _ in 0..100 {
        client.read(1).await.unwrap_err();
    }
    let said = lines.take();
    assert!(said.len() <= 20, "{}", said.len());
    let words = [
        "WARN",
        "call failed",
        "probe/read",
        "code=unavailable",
        "suppressed=0",
    ];
    says(&said[0], &words);
    tokio::time::advance(Duration::from_secs(2)).await;
    client.read(1).await.unwrap_err();
    says(&lines.take()[0], &["suppressed=90"]);
}

#[tokio::test]
async fn what_a_handler_says_is_no_warning_and_a_failsafe_answer_is_one() {
    let fleet = Fleet::of(1).await;
    let (_cluster, client) = fleet.follow(fleet.cluster()).await;
    let failsafe = Strategy::Failsafe(Failsafe {
        answer: bytes::Bytes::from_static(b"\x07"),
    });
    let builder = fleet
        .cluster()
        .pool(&ChannelPool::default())
        .strategy(failsafe);
    let (_safe, safe) = fleet.follow(builder).await;
    let (lines, _guard) = Lines::capture(Level::WARN);
    for status in [
        Status::internal("a bug"),
        Status::unavailable("no database"),
    ] {
        fleet.all(&Act::Fail(status));
        client.write().await.unwrap_err();
    }
    assert_eq!(lines.take(), Vec::<String>::new());
    assert_eq!(safe.write().await.unwrap(), 7);
    says(
        &lines.take()[0],
        &[
            "WARN",
            "call failed; returning the failsafe answer",
            "no database",
        ],
    );
}
