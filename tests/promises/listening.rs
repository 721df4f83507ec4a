//! Where a server listens, and how long it serves there.

use std::{
    os::unix::net::UnixListener as StdUnixListener,
    sync::Arc,
    time::{Duration, Instant},
};

use doge_rpc::{
    registry::{Memory, Registry, ServiceKey, Static},
    server::{Server, StartError},
    transport::Listener,
};
use tokio::sync::oneshot;
use tracing::level_filters::LevelFilter;

use crate::logs::Log;
use crate::support::{Handlers, LIMIT, Probe, ProbeClient, patient};

async fn answers(address: &impl ToString) {
    let client = ProbeClient::connect(address.to_string()).unwrap();
    assert_eq!(
        client.with(patient()).echo(7).await,
        Ok(7),
        "{}",
        address.to_string()
    );
}

#[tokio::test]
async fn a_server_listens_on_sockets_that_are_bound_already() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let server = || Handlers::default().server();
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let tokio_tcp = tokio::net::TcpListener::bind("[::1]:0").await.unwrap();
    let unix = StdUnixListener::bind(path("std")).unwrap();
    let tokio_unix = tokio::net::UnixListener::bind(path("tokio")).unwrap();
    let own = Listener::bind(&"memory://own".parse().unwrap())
        .await
        .unwrap();
    let expected = tcp.local_addr().unwrap();
    let running = [
        server().start(tcp).await.unwrap(),
        server().start(tokio_tcp).await.unwrap(),
        server().start(unix).await.unwrap(),
        server().start(tokio_unix).await.unwrap(),
        server().start(own).await.unwrap(),
    ];
    assert_eq!(
        running[0].address().to_string(),
        format!("tcp://{expected}")
    );
    for server in running {
        answers(server.address()).await;
        server.drain().await;
    }
    assert!(
        path("std").exists() && path("tokio").exists(),
        "who made them removes them"
    );
}

#[tokio::test]
async fn a_server_listens_at_several_addresses_with_one_drain() {
    let folder = tempfile::tempdir().unwrap();
    let socket = format!("unix://{}", folder.path().join("x.sock").display());
    let handlers = Handlers::default();
    let on = [
        "tcp://127.0.0.1:0",
        "tcp://[::1]:0",
        &socket,
        "memory://several",
    ];
    let server = handlers.server().start(on).await.unwrap();
    assert_eq!(server.addresses().len(), 4);
    assert_eq!(server.address(), &server.addresses()[0]);
    let mut calls = Vec::new();
    for address in server.addresses() {
        answers(address).await;
        let client = ProbeClient::connect(address).unwrap().with(patient());
        calls.push(tokio::spawn(async move { client.gated().await }));
    }
    handlers.until_running(4).await;
    let addresses = server.addresses().to_vec();
    let draining = tokio::spawn(server.drain());
    for address in &addresses {
        let client = ProbeClient::connect(address).unwrap();
        let refused = async { while client.echo(1).await.is_ok() {} };
        tokio::time::timeout(LIMIT, refused)
            .await
            .expect("it drains everywhere");
    }
    (0..4).for_each(|_| handlers.open_gate());
    for call in calls {
        call.await.unwrap().unwrap();
    }
    draining.await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_taken_or_none_is_an_error_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("tcp://{}", held.local_addr().unwrap());
    let path = folder.path().join("x.sock");
    let on = [format!("unix://{}", path.display()), taken.clone()];
    let error = Handlers::default()
        .server()
        .start(Vec::from(on))
        .await
        .unwrap_err();
    assert!(matches!(&error, StartError::Bind { address, .. } if address.to_string() == taken));
    assert!(!path.exists());
    drop(held);

    let nowhere = Handlers::default()
        .server()
        .start([""; 0])
        .await
        .unwrap_err();
    assert!(matches!(nowhere, StartError::NowhereToListen), "{nowhere}");
    let dialect = Handlers::default()
        .server()
        .start("doge://127.0.0.1:0")
        .await
        .unwrap_err();
    let text = dialect.to_string();
    assert!(
        text.contains("listen at tcp://127.0.0.1:0, where all dialects"),
        "{text}"
    );
}

#[tokio::test]
async fn a_server_serves_until_a_future_is_done() {
    let handlers = Handlers::default();
    let (stop, stopped) = oneshot::channel::<()>();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let serving = handlers.server().serve_with_shutdown(listener, async {
        stopped.await.unwrap();
    });
    let serving = tokio::spawn(serving);
    let client = ProbeClient::connect(&address).unwrap().with(patient());
    let call = tokio::spawn(async move { client.gated().await });
    handlers.until_running(1).await;
    stop.send(()).unwrap();
    let client = ProbeClient::connect(&address).unwrap();
    while client.echo(1).await.is_ok() {}
    handlers.open_gate();
    call.await.unwrap().unwrap();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_that_is_stopped_before_it_has_started_never_starts() {
    let address = "memory://never-started";
    let serving = Handlers::default()
        .server()
        .serve_with_shutdown(address, std::future::ready(()));
    serving.await.unwrap();
    answers(
        Handlers::default()
            .server()
            .start(address)
            .await
            .unwrap()
            .address(),
    )
    .await;
}

/// Clients whose list is old find the server for a while after it has left the registry.
#[tokio::test]
async fn a_server_lingers_after_it_has_left_the_registry() {
    const LINGER: Duration = Duration::from_millis(300);
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let watch = registry.watch(ServiceKey::new("probe")).await.unwrap();
    let server = Handlers::default()
        .server()
        .registry(&registry)
        .linger(LINGER);
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let address = server.address().clone();
    assert_eq!(watch.snapshot().len(), 1);
    let began = Instant::now();
    let draining = tokio::spawn(server.drain());
    while !watch.snapshot().is_empty() {
        tokio::task::yield_now().await;
    }
    // A connection that is made after it has left.
    answers(&address).await;
    draining.await.unwrap();
    assert!(began.elapsed() >= LINGER);
}

#[tokio::test]
async fn a_server_says_at_start_what_it_lacks() {
    let (log, _guard) = Log::capture(LevelFilter::WARN);
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses(["tcp://10.0.0.1:1"]));
    let server = Handlers::default().server().registry(&registry);
    drop(server.start("memory://lacks-1").await.unwrap());
    log.is_one_line_saying(&[
        "the registry registers nothing",
        "memory://lacks-1",
        "Static",
    ]);

    let (log, _guard) = Log::capture(LevelFilter::WARN);
    drop(Server::builder().start("memory://lacks-2").await.unwrap());
    log.is_one_line_saying(&["no service was added", "memory://lacks-2"]);
}
