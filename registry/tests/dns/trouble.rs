//! What removes nothing: answers without records, servers that fail, and bytes that are no answer.

use std::time::Duration;

use doge_test_support::{Mood, NameServer};
use futures_util::FutureExt;

use crate::common::{NAME, places, quick, until, until_asked, watch};

const MOODS: [Mood; 9] = [
    Mood::NxDomain,
    Mood::Empty,
    Mood::ServFail,
    Mood::Refused,
    Mood::Silent,
    Mood::Garbage,
    Mood::WrongId,
    Mood::Loop,
    Mood::Overcount,
];

#[tokio::test]
async fn the_last_list_stays_until_there_are_other_records() {
    for mood in MOODS {
        let server = NameServer::start();
        server.set(NAME, 0, ["A 10.0.0.1", "A 10.0.0.2"]);
        let mut watch = watch(quick(&server).timeout(Duration::from_millis(400))).await;
        let before = places(&watch.snapshot());
        assert_eq!(before.len(), 2);

        server.becomes(mood);
        until_asked(&server, 8).await;
        assert_eq!(places(&watch.snapshot()), before, "{mood:?}");
        assert!(watch.changed().now_or_never().is_none(), "{mood:?}");

        server.set(NAME, 0, ["A 10.0.0.3"]);
        server.becomes(Mood::Honest);
        until(&mut watch, &["10.0.0.3:7000"]).await;
    }
}

#[tokio::test]
async fn the_last_list_stays_while_the_server_is_away() {
    let mut server = NameServer::start();
    server.set(NAME, 0, ["A 10.0.0.1"]);
    let mut watch = watch(quick(&server).timeout(Duration::from_millis(400))).await;
    server.stop();
    // Long enough for a look that fails, and another.
    let changed = tokio::time::timeout(Duration::from_millis(800), watch.changed());
    assert!(changed.await.is_err());
    assert_eq!(places(&watch.snapshot()), ["10.0.0.1:7000"]);

    server.set(NAME, 0, ["A 10.0.0.2"]);
    server.restart();
    until(&mut watch, &["10.0.0.2:7000"]).await;
}

#[tokio::test]
async fn a_kind_of_records_that_a_server_fails_to_tell_stays_as_it_was() {
    if std::net::UdpSocket::bind("[::1]:0").is_err() {
        return;
    }
    for mood in [Mood::ServFail, Mood::Silent] {
        let server = NameServer::start();
        server.set(NAME, 0, ["A 10.0.0.1", "AAAA ::1"]);
        let mut watch = watch(quick(&server)).await;
        server.becomes_for("AAAA", mood);
        until_asked(&server, 2).await;
        server.set(NAME, 0, ["A 10.0.0.2"]);
        until(&mut watch, &["10.0.0.2:7000", "[::1]:7000"]).await;
        // Now the server says that there are none.
        server.becomes_for("AAAA", Mood::Honest);
        until(&mut watch, &["10.0.0.2:7000"]).await;
    }
}
