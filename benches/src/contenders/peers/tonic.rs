use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use tokio::{net::TcpListener, sync::oneshot};
use tonic::{
    Request, Response, Status,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};

use self::proto::{
    Chunk, Done, Record, Time,
    echo_client::EchoClient,
    echo_server::{Echo, EchoServer},
};
use crate::{Contender, Error, Handler, Payload, Small, Value as Plain};

#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
mod proto {
    tonic::include_proto!("echo");
}

/// tonic with prost, blobs as [`Bytes`].
#[derive(Clone, Debug)]
pub struct Tonic(EchoClient<Channel>);

/// A payload as messages.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A record.
    Small(Record),
    /// Bytes.
    Blob(Chunk),
}

#[derive(Debug)]
struct Answers(Handler<Tonic>);

/// As large as the largest payload. With the default, 16 KiB, a blob takes up to three times as long. The windows are
/// hyper's, 1 MiB and more: larger ones gain nothing, and cost a third of the calls/s with many blobs of 1 MiB at once.
const FRAME: u32 = 1024 * 1024;

/// More calls than any load has at once; the default is 1,024.
const BUFFER: usize = 16 * 1024;

impl Contender for Tonic {
    const PACKAGES: &'static [&'static str] = &["tonic", "prost", "hyper", "h2"];

    type Value = Value;

    async fn serve(
        bound: oneshot::Sender<SocketAddr>,
        handler: Handler<Self>,
    ) -> Result<(), Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let _ = bound.send(listener.local_addr()?);
        // What the server is told about it does not reach connections that others accept.
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        Ok(Server::builder()
            .max_frame_size(FRAME)
            .add_service(EchoServer::new(Answers(handler)))
            .serve_with_incoming(incoming)
            .await?)
    }

    async fn connect(server: SocketAddr) -> Result<Self, Error> {
        let channel = Endpoint::from_shared(format!("http://{server}"))?
            .tcp_nodelay(true)
            .max_frame_size(FRAME)
            .buffer_size(BUFFER)
            .connect()
            .await?;
        Ok(Self(EchoClient::new(channel)))
    }

    fn value(payload: Payload) -> Result<Value, Error> {
        Ok(match payload.value() {
            Plain::Small(small) => Value::Small(small.into()),
            Plain::Blob(blob) => Value::Blob(Chunk {
                data: Bytes::from(blob.into_vec()),
            }),
        })
    }

    async fn call(&self, value: Value) -> Result<Value, Error> {
        let mut client = self.0.clone();
        Ok(match value {
            Value::Small(record) => Value::Small(client.small(record).await?.into_inner()),
            Value::Blob(chunk) => Value::Blob(client.blob(chunk).await?.into_inner()),
        })
    }

    async fn pause(&self, time: Duration) -> Result<(), Error> {
        let micros = time.as_micros() as u64;
        self.0.clone().pause(Time { micros }).await?;
        Ok(())
    }
}

#[tonic::async_trait]
impl Echo for Answers {
    async fn small(&self, request: Request<Record>) -> Result<Response<Record>, Status> {
        match self.0.answer(Value::Small(request.into_inner())).await {
            Ok(Value::Small(record)) => Ok(Response::new(record)),
            Ok(Value::Blob(_)) => Err(Status::internal("a blob for a record")),
            Err(error) => Err(Status::internal(error.to_string())),
        }
    }

    async fn blob(&self, request: Request<Chunk>) -> Result<Response<Chunk>, Status> {
        match self.0.answer(Value::Blob(request.into_inner())).await {
            Ok(Value::Blob(chunk)) => Ok(Response::new(chunk)),
            Ok(Value::Small(_)) => Err(Status::internal("a record for a blob")),
            Err(error) => Err(Status::internal(error.to_string())),
        }
    }

    async fn pause(&self, request: Request<Time>) -> Result<Response<Done>, Status> {
        tokio::time::sleep(Duration::from_micros(request.into_inner().micros)).await;
        Ok(Response::new(Done {}))
    }
}

impl From<Small> for Record {
    fn from(small: Small) -> Self {
        Self {
            id: small.id,
            name: small.name,
            tags: small.tags,
            salary: small.salary,
            active: small.active,
        }
    }
}
