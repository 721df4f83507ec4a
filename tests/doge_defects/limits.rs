//! Defect 16: no limits on sizes, and a client that counts as available after its end.

use doge_rpc::{
    client::{Channel, ChannelConfig},
    connection::Limits,
    prelude::*,
};

use crate::common::{Fleet, Probe, ProbeClient, patient, soon, until};

#[service(name = "store")]
trait Store {
    async fn put(&self, data: String) -> Result<usize, Status>;

    async fn get(&self, bytes: usize) -> Result<String, Status>;
}

struct Memory;

impl Store for Memory {
    async fn put(&self, data: String) -> Result<usize, Status> {
        Ok(data.len())
    }

    async fn get(&self, bytes: usize) -> Result<String, Status> {
        Ok("x".repeat(bytes))
    }
}

// Nothing bounded the size of a request, or of an answer.
#[tokio::test]
async fn defect_16_sizes_are_bounded_both_ways_and_the_connection_lives_on() {
    let small = || Limits {
        max_frame: 64 * 1024,
        ..Limits::default()
    };
    let server = Server::builder()
        .add(StoreServer::new(Memory))
        .limits(small());
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let config = ChannelConfig {
        limits: small(),
        ..ChannelConfig::default()
    };
    let channel = Channel::with_config(server.address().clone(), config);
    let client = StoreClient::new(channel).with(patient());
    for _ in 0..3 {
        let status = soon(client.put("x".repeat(70_000))).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.never_ran());
        let status = soon(client.get(70_000)).await.unwrap_err();
        assert!(status.message().contains("65536"), "{status}");
        assert_eq!(client.put("x".repeat(60_000)).await.unwrap(), 60_000);
        assert_eq!(client.get(60_000).await.unwrap().len(), 60_000);
    }
}

// What was destroyed still said that it was available.
#[tokio::test]
async fn defect_16_a_connection_that_is_closed_takes_no_calls() {
    let mut fleet = Fleet::of(1).await;
    let replica = &mut fleet.replicas[0];
    let channel = Channel::new(replica.proxy.address().parse().unwrap());
    channel.ready().await.unwrap();
    assert!(channel.is_connected());
    replica.server.take().unwrap().drain().await;
    until(|| !channel.is_connected()).await;
    let client = ProbeClient::new(channel.clone());
    let status = client.write().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.never_ran());
    assert!(channel.is_down());
}
