//! What a watch begins with.

use std::time::Duration;

use doge_registry::{Dns, Registry, RegistryError, ServiceKey};
use doge_test_support::{Mood, NameServer};
use futures_util::FutureExt;

use crate::common::{NAME, key, places, quick, slow, until, until_asked, watch};

#[tokio::test]
async fn a_name_without_records_is_a_service_without_instances_yet() {
    for mood in [Mood::NxDomain, Mood::Empty] {
        let server = NameServer::start();
        server.becomes(mood);
        let mut watch = watch(quick(&server)).await;
        assert!(watch.snapshot().is_empty(), "{mood:?}");
        server.set(NAME, 60, ["A 10.0.0.1"]);
        server.becomes(Mood::Honest);
        until(&mut watch, &["10.0.0.1:7000"]).await;
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_asked_is_an_error_with_cause_and_mend() {
    for (mood, cause) in [
        (Mood::ServFail, "Server Failure"),
        (Mood::Refused, "Refused"),
        (Mood::Silent, "no answer"),
        (Mood::Garbage, ""),
        (Mood::WrongId, "no answer"),
        (Mood::Loop, ""),
        (Mood::Overcount, ""),
    ] {
        let server = NameServer::start();
        server.set(NAME, 60, ["A 127.0.0.1"]);
        server.becomes(mood);
        let registry = slow(&server).timeout(Duration::from_millis(400));
        let error = registry.build().unwrap().watch(key()).await.unwrap_err();
        assert!(matches!(error, RegistryError::Remote { .. }), "{error}");
        let text = error.to_string();
        let place = server.address().to_string();
        for part in [cause, NAME, &place, "look the name up", "dig"] {
            assert!(text.contains(part), "{mood:?}: {part}: {text}");
        }
    }
}

#[tokio::test]
async fn one_kind_of_records_is_enough_when_the_server_does_not_tell_the_other() {
    for mood in [Mood::ServFail, Mood::Silent, Mood::NxDomain] {
        let server = NameServer::start();
        server.set(NAME, 60, ["A 10.0.0.1"]);
        server.becomes_for("AAAA", mood);
        let snapshot = watch(slow(&server)).await.snapshot();
        assert_eq!(places(&snapshot), ["10.0.0.1:7000"], "{mood:?}");
    }
}

#[tokio::test]
async fn a_key_that_makes_no_name_is_refused() {
    let registry = Dns::addresses("{service}.svc", 7000).build().unwrap();
    let long = ServiceKey::new("x".repeat(64));
    let refused = registry.watch(long).await.unwrap_err();
    assert!(matches!(refused, RegistryError::InvalidSetting { .. }));
    let refused = registry.watch(ServiceKey::new("../x")).await.unwrap_err();
    assert!(matches!(refused, RegistryError::InvalidName { .. }));
}

#[tokio::test]
async fn a_watch_that_is_given_up_leaves_nothing_behind() {
    let server = NameServer::start();
    server.set(NAME, 60, ["A 10.0.0.1"]);
    server.becomes(Mood::Silent);
    let registry = slow(&server).build().unwrap();
    tokio::select! {
        _ = registry.watch(key()) => panic!("nobody answers"),
        () = until_asked(&server, 2) => {}
    }
    server.becomes(Mood::Honest);
    let watch = registry.watch(key()).await.unwrap();
    assert_eq!(places(&watch.snapshot()), ["10.0.0.1:7000"]);
}

#[test]
fn a_watch_needs_a_runtime() {
    let registry = Dns::addresses(NAME, 7000).build().unwrap();
    let watched = registry.watch(key()).now_or_never().unwrap();
    assert!(matches!(watched, Err(RegistryError::NoRuntime)));
}
