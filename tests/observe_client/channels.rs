//! A channel without a cluster, and clients within the process.

use std::{sync::Arc, time::Duration};

use doge_rpc::{
    CallOptions, Client, Code, Request, Response, Status,
    client::{Channel, ChannelConfig},
};

use crate::{
    common::{Act, Fleet, Handlers, Probe, ProbeClient, ProbeServer, patient, until},
    ledger::{Entry, Ledger},
};

fn watched(ledger: &Arc<Ledger>) -> ChannelConfig {
    ChannelConfig {
        observers: vec![Arc::clone(ledger) as _],
        timed: true,
        ..ChannelConfig::default()
    }
}

/// Makes three calls after two earlier ones: an error of the application, a call that is late, and a call that is given up.
async fn argued_late_and_given_up(fleet: &Fleet, client: &ProbeClient) {
    fleet.next(Act::Fail(Status::not_found("nobody")));
    client.argue().await.unwrap_err();
    fleet.next(Act::Hang);
    let hurried = client.with(CallOptions::new().timeout(Duration::from_millis(20)));
    hurried.read(1).await.unwrap_err();
    fleet.next(Act::Hang);
    tokio::select! {
        _ = client.read(1) => unreachable!("nobody answers"),
        () = until(|| fleet.total() == 5) => {}
    }
}

#[tokio::test]
async fn a_channel_shows_its_calls_and_its_connections() {
    let (fleet, ledger) = (Fleet::of(1).await, Ledger::new());
    let address = fleet.replicas[0].proxy.address();
    let channel = Channel::with_config(address.parse().unwrap(), watched(&ledger));
    assert_eq!(channel.stats().calls, 0);
    let client = ProbeClient::new(channel.clone()).with(patient());
    client.read(1).await.unwrap();
    fleet.next(Act::Fail(Status::not_found("nobody")));
    client.read(1).await.unwrap_err();
    argued_late_and_given_up(&fleet, &client).await;

    let stats = channel.stats();
    let codes = [
        Code::Ok,
        Code::NotFound,
        Code::DeadlineExceeded,
        Code::Cancelled,
    ];
    assert_eq!(codes.map(|code| stats.ended.with(code)), [2, 1, 1, 1]);
    assert_eq!(
        (
            stats.calls,
            stats.ended.total(),
            stats.ended.application_errors
        ),
        (5, 5, 1)
    );
    assert_eq!(stats.latencies.unwrap().count(), 5);
    assert!(stats.connected && stats.connections == 1 && stats.why_not_connected.is_none());
    let seen: Vec<_> = ledger.calls_ended().iter().map(|end| end.code).collect();
    let [ok, not_found, late, cancelled] = codes;
    assert_eq!(seen, [ok, not_found, ok, late, cancelled]);
    assert_eq!(
        ledger.count(|entry| *entry == Entry::Opened(address.clone())),
        1
    );

    fleet.replicas[0].proxy.cut();
    until(|| !channel.is_connected()).await;
    let closed = |entry: &Entry| matches!(entry, Entry::Closed(at, _) if *at == address);
    until(|| ledger.count(closed) == 1).await;
    let why = channel.stats().why_not_connected.unwrap();
    assert_eq!(why, "the server closed the connection");
}

/// An error is a text there, whoever said it, and so an error of the application.
#[tokio::test]
async fn a_channel_of_messagepack_rpc_shows_its_calls() {
    let (fleet, ledger) = (Fleet::of(1).await, Ledger::new());
    let address = fleet.replicas[0].proxy.address().replace("tcp", "doge");
    let channel = Channel::with_config(address.parse().unwrap(), watched(&ledger));
    let client = ProbeClient::new(channel.clone()).with(patient());
    client.read(1).await.unwrap();
    fleet.next(Act::Fail(Status::not_found("nobody")));
    assert_eq!(client.read(1).await, Err(Status::unknown("nobody")));
    argued_late_and_given_up(&fleet, &client).await;

    let ended = channel.stats().ended;
    let codes = [Code::Ok, Code::DeadlineExceeded, Code::Cancelled];
    assert_eq!(codes.map(|code| ended.with(code)), [3, 1, 1]);
    assert_eq!((ended.total(), ended.application_errors), (5, 2));
    let [ok, late, cancelled] = codes;
    let seen: Vec<_> = ledger.calls_ended().iter().map(|end| end.code).collect();
    assert_eq!(seen, [ok, ok, ok, late, cancelled]);
}

#[tokio::test]
async fn a_channel_without_a_server_says_why_it_is_not_connected() {
    let ledger = Ledger::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", free.local_addr().unwrap());
    drop(free);
    let channel = Channel::with_config(address.parse().unwrap(), watched(&ledger));
    let client = ProbeClient::new(channel.clone());
    client.read(1).await.unwrap_err();
    let stats = channel.stats();
    assert!(!stats.connected && stats.connections == 0);
    assert!(stats.why_not_connected.unwrap().contains(&address));
    assert!(stats.next_connect_in.unwrap() <= Duration::from_millis(120));
    assert_eq!((stats.calls, stats.ended.with(Code::Unavailable)), (1, 1));
    assert_eq!(
        ledger.count(|entry| *entry == Entry::ConnectFailed(address.clone())),
        1
    );
}

#[tokio::test]
async fn the_calls_of_a_cluster_are_not_those_of_the_channel() {
    let (fleet, ledger) = (Fleet::of(1).await, Ledger::new());
    let pool = doge_rpc::client::ChannelPool::new(watched(&ledger));
    let (_cluster, client) = fleet.follow(fleet.cluster().pool(&pool)).await;
    client.read(1).await.unwrap();
    let channel = pool.channel(&fleet.replicas[0].proxy.address().parse().unwrap());
    assert_eq!((channel.stats().calls, channel.stats().connections), (0, 1));
    assert!(ledger.calls_ended().is_empty());
    assert_eq!(ledger.entries().len(), 1, "the connection");
}

#[tokio::test]
async fn clients_within_the_process_show_their_calls() {
    let (handlers, ledger) = (Handlers::new(3, &Arc::default()), Ledger::new());
    let local = Client::local(ProbeServer::new(handlers.clone()));
    let client = ProbeClient::new(local.observed_by(Arc::clone(&ledger)));
    client.read(1).await.unwrap();
    handlers.act(Act::Fail(Status::not_found("nobody")));
    client.read(1).await.unwrap_err();
    client.argue().await.unwrap_err();
    handlers.act(Act::Hang);
    let hurried = client.with(CallOptions::new().timeout(Duration::from_millis(20)));
    hurried.read(1).await.unwrap_err();
    let ended = ledger.calls_ended();
    let codes: Vec<_> = ended.iter().map(|end| end.code).collect();
    let codes_expected = [Code::Ok, Code::NotFound, Code::Ok, Code::DeadlineExceeded];
    assert_eq!(codes, codes_expected);
    assert!(ended[2].application_error);
    let method = Entry::CallStarted("probe/read".into());
    assert_eq!(ledger.count(|entry| *entry == method), 3);

    let service = Client::service(tower::service_fn(|_: Request| async {
        Err::<Response, _>(Status::aborted("twice at once"))
    }));
    ledger.clear();
    let client = ProbeClient::new(service.observed_by(Arc::clone(&ledger)));
    client.read(1).await.unwrap_err();
    assert_eq!(ledger.calls_ended()[0].code, Code::Aborted);
}

#[tokio::test]
async fn a_call_that_begins_after_its_deadline_is_seen_by_those_who_watch_the_client() {
    let (fleet, inner) = (Fleet::of(1).await, Ledger::new());
    let (cluster, _) = fleet
        .follow(fleet.cluster().observer(Arc::clone(&inner)))
        .await;
    for client in [
        Client::local(ProbeServer::new(fleet.replicas[0].handlers.clone())),
        cluster.into(),
    ] {
        let ledger = Ledger::new();
        let client = ProbeClient::new(client.observed_by(Arc::clone(&ledger)));
        let late = client.with(CallOptions::new().timeout(Duration::ZERO));
        let status = late.read(1).await.unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded);
        let ended: Vec<_> = ledger.calls_ended().iter().map(|end| end.code).collect();
        assert_eq!(ended, [Code::DeadlineExceeded]);
    }
    assert_eq!((inner.calls_ended().len(), fleet.total()), (1, 0));
}
