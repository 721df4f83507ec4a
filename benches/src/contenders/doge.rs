use std::{net::SocketAddr, sync::Arc, time::Duration};

use doge_rpc::{
    client::{Channel, ChannelConfig},
    connection::Limits,
    prelude::*,
    registry::{Registry, Static},
};
use serde_bytes::ByteBuf;
use tokio::sync::oneshot;

use crate::{Contender, Error, Handler, Payload, Small, Value};

/// Gives back what it gets.
#[service]
trait EchoService {
    /// A record.
    async fn small(&self, value: Small) -> Result<Small, Status>;
    /// Bytes.
    async fn blob(&self, value: ByteBuf) -> Result<ByteBuf, Status>;
    /// Nothing, after a while.
    async fn pause(&self, time: Duration) -> Result<(), Status>;
}

/// doge-rpc as a user would have it: a trait, structs as maps, all defaults but the deadline and the limits, which are
/// raised as those of the others.
#[derive(Clone, Debug)]
pub struct Doge {
    client: EchoClient,
}

/// The same behind a cluster: a registry, a balancer, health, a retry budget.
#[derive(Clone, Debug)]
pub struct DogeCluster(Doge);

/// Answers as a [`Handler`] does.
struct Answer<C>(Handler<C>);

impl<C: Contender<Value = Value>> EchoService for Answer<C> {
    async fn small(&self, value: Small) -> Result<Small, Status> {
        match self.0.answer(Value::Small(value)).await {
            Ok(Value::Small(value)) => Ok(value),
            other => Err(failed(other)),
        }
    }

    async fn blob(&self, value: ByteBuf) -> Result<ByteBuf, Status> {
        match self.0.answer(Value::Blob(value)).await {
            Ok(Value::Blob(value)) => Ok(value),
            other => Err(failed(other)),
        }
    }

    async fn pause(&self, time: Duration) -> Result<(), Status> {
        tokio::time::sleep(time).await;
        Ok(())
    }
}

/// A data service failed, or gave another kind of value than it got.
fn failed(answer: Result<Value, Error>) -> Status {
    Status::internal(match answer {
        Ok(_) => "a value of another kind".into(),
        Err(error) => error.to_string(),
    })
}

async fn serve<C: Contender<Value = Value>>(
    bound: oneshot::Sender<SocketAddr>,
    handler: Handler<C>,
) -> Result<(), Error> {
    let server = Server::builder()
        .add(EchoServer::new(Answer(handler)))
        .limits(limits())
        .max_connections(100_000)
        .max_calls(100_000)
        .start("tcp://127.0.0.1:0")
        .await?;
    let address = server.address().to_string();
    let _ = bound.send(address.trim_start_matches("tcp://").parse()?);
    std::future::pending().await
}

fn limits() -> Limits {
    Limits {
        max_calls: 65_536,
        ..Limits::default()
    }
}

fn config() -> ChannelConfig {
    ChannelConfig {
        limits: limits(),
        ..ChannelConfig::default()
    }
}

/// More than a thousand calls of 1 MiB take, all at once on one connection.
const DEADLINE: Duration = Duration::from_secs(60);

impl Doge {
    fn over(client: EchoClient) -> Self {
        Self {
            client: client.with(CallOptions::new().timeout(DEADLINE)),
        }
    }

    /// Calls through the codec, without a connection.
    pub fn local() -> Self {
        Self {
            client: EchoClient::local(Answer(Handler::<Self>::Echo)),
        }
    }

    /// Calls over a pipe inside the process. The server runs as long as the runtime.
    ///
    /// # Errors
    ///
    /// When the name is taken.
    pub async fn in_memory(name: &str) -> Result<Self, Error> {
        let address = format!("memory://{name}");
        let server = Server::builder()
            .add(EchoServer::new(Answer(Handler::<Self>::Echo)))
            .start(&address)
            .await?;
        tokio::spawn(async move {
            let _server = server;
            std::future::pending::<()>().await;
        });
        Ok(Self {
            client: EchoClient::connect(address)?,
        })
    }
}

impl Contender for Doge {
    const PACKAGES: &'static [&'static str] = &["doge-rpc"];

    type Value = Value;

    async fn serve(
        bound: oneshot::Sender<SocketAddr>,
        handler: Handler<Self>,
    ) -> Result<(), Error> {
        serve(bound, handler).await
    }

    async fn connect(server: SocketAddr) -> Result<Self, Error> {
        let address = format!("tcp://{server}").parse()?;
        let channel = Channel::with_config(address, config());
        Ok(Self::over(EchoClient::new(channel)))
    }

    fn value(payload: Payload) -> Result<Value, Error> {
        Ok(payload.value())
    }

    async fn call(&self, value: Value) -> Result<Value, Error> {
        Ok(match value {
            Value::Small(small) => Value::Small(self.client.small(small).await?),
            Value::Blob(blob) => Value::Blob(self.client.blob(blob).await?),
        })
    }

    async fn pause(&self, time: Duration) -> Result<(), Error> {
        Ok(self.client.pause(time).await?)
    }
}

impl Contender for DogeCluster {
    const PACKAGES: &'static [&'static str] = &["doge-rpc"];

    type Value = Value;

    async fn serve(
        bound: oneshot::Sender<SocketAddr>,
        handler: Handler<Self>,
    ) -> Result<(), Error> {
        serve(bound, handler).await
    }

    async fn connect(server: SocketAddr) -> Result<Self, Error> {
        let registry: Arc<dyn Registry> = Arc::new(Static::addresses([format!("tcp://{server}")]));
        let cluster = EchoClient::cluster()
            .registry(&registry)
            // In a pool of its own: the clusters of a process would share their connection.
            .channel(config());
        let client = EchoClient::new(cluster.follow().await?);
        Ok(Self(Doge::over(client)))
    }

    fn value(payload: Payload) -> Result<Value, Error> {
        Doge::value(payload)
    }

    async fn call(&self, value: Value) -> Result<Value, Error> {
        self.0.call(value).await
    }

    async fn pause(&self, time: Duration) -> Result<(), Error> {
        self.0.pause(time).await
    }
}
