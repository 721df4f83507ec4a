use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jsonrpsee::{
    core::{RpcResult, async_trait},
    proc_macros::rpc,
    server::{Server, ServerConfig},
    types::{ErrorObjectOwned, error::INTERNAL_ERROR_CODE},
    ws_client::{RpcService, RpcServiceBuilder, WsClient, WsClientBuilder},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tokio::sync::oneshot;

use crate::{Contender, Error, Handler, Payload, Small, Value as Plain};

/// jsonrpsee over WebSocket.
#[derive(Clone, Debug)]
pub struct Jsonrpsee(Arc<WsClient<RpcService>>);

/// A payload as JSON takes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A record.
    Small(Small),
    /// Bytes.
    Blob(Blob),
}

/// Bytes, which JSON does not have, in base64: shorter and quicker than an array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Blob(Vec<u8>);

#[rpc(client, server)]
trait Echo {
    #[method(name = "small")]
    async fn small(&self, value: Small) -> RpcResult<Small>;

    #[method(name = "blob")]
    async fn blob(&self, value: Blob) -> RpcResult<Blob>;

    #[method(name = "pause")]
    async fn pause(&self, time: Duration) -> RpcResult<()>;
}

struct Answers(Handler<Jsonrpsee>);

/// More than any load has. The defaults are 256 calls at once and 1,024 buffered answers.
const IN_FLIGHT: u32 = 16 * 1024;

/// More than any load has; the default is 100.
const CONNECTIONS: u32 = 32 * 1024;

/// Longer than any load keeps a call waiting.
const TIMEOUT: Duration = Duration::from_secs(300);

impl Contender for Jsonrpsee {
    const PACKAGES: &'static [&'static str] = &["jsonrpsee"];

    type Value = Value;

    async fn serve(
        bound: oneshot::Sender<SocketAddr>,
        handler: Handler<Self>,
    ) -> Result<(), Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let _ = bound.send(listener.local_addr()?);
        let config = ServerConfig::builder()
            .ws_only()
            .max_connections(CONNECTIONS)
            .set_message_buffer_capacity(IN_FLIGHT)
            .set_tcp_no_delay(true)
            .build();
        let server = Server::builder()
            .set_config(config)
            .build_from_tcp(listener)?;
        server.start(Answers(handler).into_rpc()).stopped().await;
        Ok(())
    }

    async fn connect(server: SocketAddr) -> Result<Self, Error> {
        let client = WsClientBuilder::new()
            // Without the logger that is there by default: it writes each call and answer as JSON once more, even if nobody
            // listens.
            .set_rpc_middleware(RpcServiceBuilder::new())
            .max_concurrent_requests(IN_FLIGHT as usize)
            .request_timeout(TIMEOUT)
            .set_tcp_no_delay(true)
            .build(format!("ws://{server}"))
            .await?;
        Ok(Self(Arc::new(client)))
    }

    fn value(payload: Payload) -> Result<Value, Error> {
        Ok(match payload.value() {
            Plain::Small(small) => Value::Small(small),
            Plain::Blob(blob) => Value::Blob(Blob(blob.into_vec())),
        })
    }

    async fn call(&self, value: Value) -> Result<Value, Error> {
        Ok(match value {
            Value::Small(small) => Value::Small(self.0.small(small).await?),
            Value::Blob(blob) => Value::Blob(self.0.blob(blob).await?),
        })
    }

    async fn pause(&self, time: Duration) -> Result<(), Error> {
        Ok(EchoClient::pause(&*self.0, time).await?)
    }
}

#[async_trait]
impl EchoServer for Answers {
    async fn small(&self, value: Small) -> RpcResult<Small> {
        match self.0.answer(Value::Small(value)).await {
            Ok(Value::Small(small)) => Ok(small),
            other => Err(failed(other)),
        }
    }

    async fn blob(&self, value: Blob) -> RpcResult<Blob> {
        match self.0.answer(Value::Blob(value)).await {
            Ok(Value::Blob(blob)) => Ok(blob),
            other => Err(failed(other)),
        }
    }

    async fn pause(&self, time: Duration) -> RpcResult<()> {
        tokio::time::sleep(time).await;
        Ok(())
    }
}

/// A data service failed, or gave another kind of value than it got.
fn failed(answer: Result<Value, Error>) -> ErrorObjectOwned {
    let message = match answer {
        Ok(_) => "a value of another kind".into(),
        Err(error) => error.to_string(),
    };
    ErrorObjectOwned::owned(INTERNAL_ERROR_CODE, message, None::<()>)
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(de::Error::custom)?;
        Ok(Self(bytes))
    }
}
