//! A status that a handler only hands on keeps its code for the caller, and costs its instance nothing.

use std::{
    sync::Arc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use doge_rpc::{
    Request, Response,
    call::Serve,
    client::{Balancing, ChannelPool, Cluster, ClusterStats, HealthConfig, LoadBalancing},
    prelude::*,
    registry::Static,
    schema::ServiceSchema,
    server::Running,
};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tower::Service;

use crate::{
    common::{patient, until},
    lives::{Life, Probing, reach},
};

#[service(name = "call.inner")]
trait Inner {
    async fn get(&self) -> Result<u8, Status>;
}

/// Fails, with what is meant for its direct caller only.
struct Away;

impl Inner for Away {
    async fn get(&self) -> Result<u8, Status> {
        let mut metadata = Metadata::new();
        let insert = metadata.insert("db-token", "secret");
        insert.map_err(|error| Status::internal(error.to_string()))?;
        Err(Status::unavailable("away")
            .with_metadata(metadata)
            .with_details(&b"\x07"[..])
            .with_pushback(Duration::from_secs(60)))
    }
}

#[service(name = "call.outer")]
trait Outer {
    #[rpc(idempotent)]
    async fn pass_on(&self) -> Result<u8, Trouble>;

    async fn forward(&self) -> Result<u8, Trouble>;

    /// Needs no inner service.
    #[rpc(idempotent)]
    async fn own(&self) -> Result<u8, Trouble>;
}

#[derive(Debug, PartialEq, Error, Serialize, Deserialize)]
enum Trouble {
    #[error(transparent)]
    Status(#[from] Status),
}

struct Messenger(InnerClient);

impl Outer for Messenger {
    async fn pass_on(&self) -> Result<u8, Trouble> {
        Ok(self.0.get().await?)
    }

    async fn forward(&self) -> Result<u8, Trouble> {
        Ok(self.0.get().await.map_err(Status::forward)?)
    }

    async fn own(&self) -> Result<u8, Trouble> {
        Ok(7)
    }
}

#[tokio::test]
async fn the_code_is_passed_on_and_the_rest_stays_behind_unless_it_is_forwarded() {
    for life in Life::NATIVE {
        let messenger = Messenger(InnerClient::local(Away));
        let reached = reach(life, OuterServer::new(messenger), Probing::nothing()).await;
        let client = OuterClient::new(reached.client.with(patient()));

        let Err(Trouble::Status(status)) = client.pass_on().await else {
            panic!("it fails");
        };
        let expected = Status::unavailable("call.inner/get: away").with_passed_on(true);
        assert_eq!(status, expected, "{life:?}");

        let Err(Trouble::Status(status)) = client.forward().await else {
            panic!("it fails");
        };
        assert!(status.is_passed_on(), "{life:?}");
        assert_eq!(status.metadata().get_str("db-token"), Some("secret"));
        assert_eq!(status.details()[..], b"\x07"[..]);
        assert_eq!(status.pushback(), Some(Duration::from_secs(60)));
    }
}

/// A service that was not made by `#[service]`, and hands on what a client said.
#[derive(Clone)]
struct Handmade;

impl Handmade {
    async fn answer() -> Result<Response, Status> {
        let received = InnerClient::local(Away).get().await.unwrap_err();
        // As if the inner call had found nobody.
        Err(received.not_sent())
    }
}

impl Serve for Handmade {
    fn schema(&self) -> &'static ServiceSchema {
        OuterClient::schema()
    }

    fn serve(&self, _: Request) -> impl Future<Output = Result<Response, Status>> + Send + 'static {
        Self::answer()
    }
}

impl Service<Request> for Handmade {
    type Response = Response;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response, Status>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        Box::pin(doge_rpc::call::handle(self.clone(), request))
    }
}

#[tokio::test]
async fn a_service_that_was_made_by_hand_passes_on_as_well() {
    for life in Life::NATIVE {
        let reached = reach(life, Handmade, Probing::nothing()).await;
        let client = OuterClient::new(reached.client.with(patient()));
        let Err(Trouble::Status(status)) = client.own().await else {
            panic!("{life:?}: it fails");
        };
        let expected = Status::unavailable("call.inner/get: away").with_passed_on(true);
        assert_eq!(status, expected, "{life:?}");
    }
    // Without layers.
    let server = Server::builder().add(Handmade);
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let client = OuterClient::connect(server.address()).unwrap();
    let Err(Trouble::Status(status)) = client.with(patient()).own().await else {
        panic!("it fails");
    };
    assert!(status.is_passed_on() && !status.never_ran(), "{status:?}");
    assert_eq!(status.metadata().get_str("db-token"), None);
}

/// A cluster of so many instances of the outer service.
async fn outer(services: Vec<OuterServer<impl Outer>>) -> (Vec<Running>, Cluster, OuterClient) {
    let mut servers = Vec::new();
    for service in services {
        let server = Server::builder().add(service);
        servers.push(server.start("tcp://127.0.0.1:0").await.unwrap());
    }
    let addresses = servers.iter().map(|server| server.address().to_string());
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses(addresses));
    let health = HealthConfig {
        max_ejected_percent: 100,
        ..HealthConfig::default()
    };
    let cluster = OuterClient::cluster()
        .registry(&registry)
        .pool(&ChannelPool::default())
        .health(health);
    let cluster = cluster.follow().await.unwrap();
    let all = servers.len();
    until(|| {
        cluster
            .stats()
            .endpoints
            .iter()
            .filter(|it| it.connected)
            .count()
            == all
    })
    .await;
    let client = OuterClient::new(cluster.clone()).with(patient());
    (servers, cluster, client)
}

#[tokio::test]
async fn instances_that_pass_a_failure_on_are_neither_ejected_nor_asked_again() {
    let messengers = (0..3).map(|_| OuterServer::new(Messenger(InnerClient::local(Away))));
    let (_servers, cluster, client) = outer(messengers.collect()).await;
    for _ in 0..300 {
        let Err(Trouble::Status(status)) = client.pass_on().await else {
            panic!("it fails");
        };
        assert!(status.is_passed_on());
        assert_eq!(client.own().await, Ok(7));
    }
    let stats = cluster.stats();
    assert_eq!((stats.ejections, stats.retries), (0, 0), "{stats:?}");
    assert_eq!(stats.attempts, 600, "one for each call");
}

/// Its database is away, which it says in the `Status` variant of its error.
struct Broken;

impl Outer for Broken {
    async fn pass_on(&self) -> Result<u8, Trouble> {
        Ok(7)
    }

    async fn forward(&self) -> Result<u8, Trouble> {
        Ok(7)
    }

    async fn own(&self) -> Result<u8, Trouble> {
        Err(Status::unavailable("the database is away").into())
    }
}

/// Calls a cluster of a broken instance and a good one 2,000 times, all with success.
async fn beside_broken(balancing: LoadBalancing) -> ClusterStats {
    let (_one, cluster, _) = outer(vec![OuterServer::new(Broken)]).await;
    let broken = cluster.addresses();
    let (_other, cluster, _) =
        outer(vec![OuterServer::new(Messenger(InnerClient::local(Away)))]).await;
    let addresses = [broken, cluster.addresses()].concat();
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses(addresses));
    let health = HealthConfig {
        // Not back within the test.
        consecutive_ejection: Duration::from_secs(3600),
        ..HealthConfig::default()
    };
    let balancing = Balancing {
        policy: balancing,
        slow_start: None,
        ..Balancing::default()
    };
    let cluster = OuterClient::cluster()
        .registry(&registry)
        .pool(&ChannelPool::default())
        .balancing(balancing)
        .health(health);
    let cluster = cluster.follow().await.unwrap();
    until(|| cluster.stats().endpoints.iter().all(|it| it.connected)).await;
    let client = OuterClient::new(cluster.clone()).with(patient());
    for call in 0..2_000 {
        assert_eq!(client.own().await, Ok(7), "call {call}");
    }
    cluster.stats()
}

#[tokio::test]
async fn a_status_in_an_error_enum_is_repeated_and_counts_for_health() {
    let stats = beside_broken(LoadBalancing::RoundRobin).await;
    assert_eq!(stats.ejections, 1, "{stats:?}");
    assert_eq!(stats.attempts, 2_005, "five failures in a row: {stats:?}");
}

#[tokio::test]
async fn a_status_in_an_error_enum_moves_load() {
    let stats = beside_broken(LoadBalancing::PeakEwma).await;
    assert!(stats.attempts < 2_100, "{stats:?}");
}
