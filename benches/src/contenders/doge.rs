use std::{net::SocketAddr, sync::Arc};

use doge_rpc::{
    prelude::*,
    registry::{Registry, Static},
};
use serde_bytes::ByteBuf;
use tokio::sync::oneshot;

use crate::{Contender, Error, Payload, Small, Value};

/// Gives back what it gets.
#[service]
trait EchoService {
    /// A record.
    async fn small(&self, value: Small) -> Result<Small, Status>;
    /// Bytes.
    async fn blob(&self, value: ByteBuf) -> Result<ByteBuf, Status>;
}

/// doge-rpc as a user would have it: a trait, structs as maps, all defaults.
#[derive(Clone, Debug)]
pub struct Doge {
    client: EchoClient,
}

/// The same behind a cluster: a registry, a balancer, health, a retry budget.
#[derive(Clone, Debug)]
pub struct DogeCluster(Doge);

struct SameValue;

impl EchoService for SameValue {
    async fn small(&self, value: Small) -> Result<Small, Status> {
        Ok(value)
    }

    async fn blob(&self, value: ByteBuf) -> Result<ByteBuf, Status> {
        Ok(value)
    }
}

impl Doge {
    /// Calls through the codec, without a connection.
    pub fn local() -> Self {
        Self {
            client: EchoClient::local(SameValue),
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
            .add(EchoServer::new(SameValue))
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
    type Value = Value;

    async fn serve(bound: oneshot::Sender<SocketAddr>) -> Result<(), Error> {
        let server = Server::builder()
            .add(EchoServer::new(SameValue))
            .start("tcp://127.0.0.1:0")
            .await?;
        let address = server.address().to_string();
        let _ = bound.send(address.trim_start_matches("tcp://").parse()?);
        std::future::pending().await
    }

    async fn connect(server: SocketAddr) -> Result<Self, Error> {
        Ok(Self {
            client: EchoClient::connect(format!("tcp://{server}"))?,
        })
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
}

impl Contender for DogeCluster {
    type Value = Value;

    async fn serve(bound: oneshot::Sender<SocketAddr>) -> Result<(), Error> {
        Doge::serve(bound).await
    }

    async fn connect(server: SocketAddr) -> Result<Self, Error> {
        let registry: Arc<dyn Registry> = Arc::new(Static::addresses([format!("tcp://{server}")]));
        let client = EchoClient::connect_via(&registry).await?;
        Ok(Self(Doge { client }))
    }

    fn value(payload: Payload) -> Result<Value, Error> {
        Doge::value(payload)
    }

    async fn call(&self, value: Value) -> Result<Value, Error> {
        self.0.call(value).await
    }
}
