//! The same calls over each transport.

use crate::support::{Handlers, Probe, ProbeClient};

#[tokio::test]
async fn calls_go_over_tcp_ipv6_unix_and_memory() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("x.sock");
    let unix = format!("unix://{}", socket.display());
    for address in [
        "tcp://127.0.0.1:0",
        "tcp://[::1]:0",
        &unix,
        "memory://transports",
    ] {
        let server = Handlers::default().server().start(address).await.unwrap();
        let client = ProbeClient::connect(server.address()).unwrap();
        assert_eq!(client.echo(7).await.unwrap(), 7, "{address}");
        server.drain().await;
        assert!(client.echo(8).await.is_err(), "{address}");
    }
    assert!(!socket.exists(), "the socket's file goes with its listener");
}

#[tokio::test]
async fn a_socket_that_a_dead_process_left_is_replaced_and_a_live_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("x.sock");
    // Dropping the listener of the standard library leaves the file, as a killed process does.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());

    let address = format!("unix://{}", socket.display());
    let server = Handlers::default().server().start(&address).await.unwrap();
    let error = Handlers::default()
        .server()
        .start(&address)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    assert_eq!(
        ProbeClient::connect(server.address())
            .unwrap()
            .echo(7)
            .await
            .unwrap(),
        7
    );
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("precious.txt");
    std::fs::write(&file, "data").unwrap();
    let address = format!("unix://{}", file.display());
    let error = Handlers::default()
        .server()
        .start(&address)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "data");
}

#[tokio::test]
async fn large_bodies_arrive_whole() {
    use doge_rpc::prelude::*;

    #[service]
    trait Blob {
        async fn reverse(&self, text: String) -> Result<String, Status>;
    }

    struct Reverse;

    impl Blob for Reverse {
        async fn reverse(&self, text: String) -> Result<String, Status> {
            Ok(text.chars().rev().collect())
        }
    }

    let server = Server::builder()
        .add(BlobServer::new(Reverse))
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let client = BlobClient::connect(server.address()).unwrap();
    let client = client.with(CallOptions::new().timeout(std::time::Duration::from_secs(20)));
    let sizes = [0, 1, 8191, 8192, 65_535, 65_536, 300_000, 7_000_000];
    let calls = sizes.map(|size| {
        let client = client.clone();
        tokio::spawn(async move {
            let text: String = ('a'..='z').cycle().take(size).collect();
            let reversed: String = text.chars().rev().collect();
            assert!(
                client.reverse(text).await.unwrap() == reversed,
                "{size} bytes"
            );
        })
    });
    for call in calls {
        call.await.unwrap();
    }
}
