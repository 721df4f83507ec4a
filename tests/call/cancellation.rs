//! Why a call was ended before its answer: the last of three services knows who gave up at the first.

use std::sync::Arc;

use doge_rpc::{prelude::*, server::Running};
use tokio::sync::Notify;

use crate::{
    common::{Proxy, patient, soon},
    lives::Probing,
};

#[service(name = "call.chain")]
trait Chain {
    async fn go_on(&self) -> Result<(), Status>;
}

struct Link {
    next: Option<ChainClient>,
    reached: Arc<Notify>,
}

impl Chain for Link {
    async fn go_on(&self) -> Result<(), Status> {
        match &self.next {
            Some(next) => next.with(patient()).go_on().await,
            None => {
                self.reached.notify_one();
                std::future::pending().await
            }
        }
    }
}

struct Chained {
    client: ChainClient,
    /// What the last service's layer sees.
    last: Probing,
    /// The last service runs a call.
    reached: Arc<Notify>,
    servers: Vec<Running>,
}

async fn three() -> Chained {
    let (last, reached) = (Probing::nothing(), Arc::new(Notify::new()));
    let (mut next, mut servers) = (None, Vec::new());
    for hop in 0..3 {
        let link = Link {
            next,
            reached: Arc::clone(&reached),
        };
        let mut server = Server::builder().add(ChainServer::new(link));
        if hop == 0 {
            server = server.layer(last.clone());
        }
        let server = server.start("tcp://127.0.0.1:0").await.unwrap();
        next = Some(ChainClient::connect(server.address()).unwrap());
        servers.push(server);
    }
    Chained {
        client: next.unwrap().with(patient()),
        last,
        reached,
        servers,
    }
}

const HOPS: &str = ": call.chain/go_on: tcp://127.0.0.1:";

#[tokio::test]
async fn a_caller_that_drops_its_call_is_named_three_hops_away() {
    let Chained {
        client,
        last,
        reached,
        servers: _servers,
    } = three().await;
    let call = tokio::spawn(async move { client.go_on().await });
    soon(reached.notified()).await;
    call.abort();
    let status = last.end().await.unwrap_err();
    assert_eq!(status.code(), Code::Cancelled);
    let start = "call.chain/go_on was stopped: the caller gave the call up (tcp://127.0.0.1:";
    assert!(status.message().starts_with(start), "{status}");
    assert_eq!(status.message().matches(HOPS).count(), 2, "{status}");
    assert!(!status.message().contains('\n'));
}

#[tokio::test]
async fn a_connection_that_is_lost_is_the_reason_three_hops_away() {
    let Chained {
        client,
        last,
        reached,
        servers: _servers,
    } = three().await;
    drop(client);
    let proxy = Proxy::listen().await;
    proxy.forward_to(&_servers[2].address().to_string());
    let client = ChainClient::connect(&*proxy.address()).unwrap();
    let client = client.with(patient());
    let call = tokio::spawn(async move { client.go_on().await });
    soon(reached.notified()).await;
    proxy.cut();
    let lost = soon(call).await.unwrap().unwrap_err();
    assert_eq!(lost.code(), Code::Unavailable);
    let status = last.end().await.unwrap_err();
    assert_eq!(status.code(), Code::Cancelled);
    let start = "call.chain/go_on was stopped: the connection to the caller was lost (tcp://";
    assert!(status.message().starts_with(start), "{status}");
    assert_eq!(status.message().matches(HOPS).count(), 2, "{status}");
}

#[tokio::test]
async fn a_server_that_stops_is_the_reason_at_the_services_behind_it() {
    let Chained {
        client,
        last,
        reached,
        mut servers,
    } = three().await;
    let call = tokio::spawn(async move { client.go_on().await });
    soon(reached.notified()).await;
    drop(servers.remove(2));
    let status = last.end().await.unwrap_err();
    let start = "call.chain/go_on was stopped: the server stopped (tcp://127.0.0.1:";
    assert!(status.message().starts_with(start), "{status}");
    assert_eq!(
        soon(call).await.unwrap().unwrap_err().code(),
        Code::Unavailable
    );
}

#[tokio::test]
async fn a_late_call_says_where_it_waited_and_whose_deadline_it_was() {
    let Chained {
        client,
        servers: _servers,
        ..
    } = three().await;
    let hasty = CallOptions::new().timeout(std::time::Duration::from_millis(100));
    let status = client.with(hasty).go_on().await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let at = format!(
        "call.chain/go_on at {}: no answer within ",
        _servers[2].address()
    );
    let time = status.message().strip_prefix(&at).unwrap();
    let millis: u64 = time.strip_suffix("ms").unwrap().parse().unwrap();
    // Less by the time that it took to connect.
    assert!((50..=100).contains(&millis), "{status}");
}
