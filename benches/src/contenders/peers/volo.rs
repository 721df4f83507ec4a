use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use doge_benches_volo_gen::{Echo, EchoClient, EchoClientBuilder, EchoServer, Record};
use tokio::{net::TcpListener, sync::oneshot};
use volo::{FastStr, net::incoming::DefaultIncoming};
use volo_thrift::{ApplicationException, ApplicationExceptionKind, ServerError};

use crate::{Contender, Error, Handler, Payload, Small, Value as Plain};

/// volo-thrift, which otherwise has a connection for each call at a time, with calls multiplexed on one connection.
#[derive(Clone)]
pub struct Volo(EchoClient);

/// A payload as structs of the interface language.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A record.
    Small(Record),
    /// Bytes.
    Blob(Bytes),
}

struct Answers(Handler<Volo>);

impl Contender for Volo {
    const PACKAGES: &'static [&'static str] = &["volo", "volo-thrift", "pilota"];

    type Value = Value;

    async fn serve(
        bound: oneshot::Sender<SocketAddr>,
        handler: Handler<Self>,
    ) -> Result<(), Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let _ = bound.send(listener.local_addr()?);
        // Sets `TCP_NODELAY`, as the client does.
        let incoming = DefaultIncoming::from(listener);
        let server = EchoServer::new(Answers(handler)).multiplex(true);
        server.run(incoming).await
    }

    async fn connect(server: SocketAddr) -> Result<Self, Error> {
        let client = EchoClientBuilder::new("echo")
            .address(server)
            .multiplex(true)
            .build();
        // It connects on the first call; many at once would open a connection each.
        client.pause(0).await?;
        Ok(Self(client))
    }

    fn value(payload: Payload) -> Result<Value, Error> {
        Ok(match payload.value() {
            Plain::Small(small) => Value::Small(record(small)?),
            Plain::Blob(blob) => Value::Blob(blob.into_vec().into()),
        })
    }

    async fn call(&self, value: Value) -> Result<Value, Error> {
        Ok(match value {
            Value::Small(record) => Value::Small(self.0.small(record).await?),
            Value::Blob(blob) => Value::Blob(self.0.blob(blob).await?),
        })
    }

    async fn pause(&self, time: Duration) -> Result<(), Error> {
        Ok(self.0.pause(time.as_micros().try_into()?).await?)
    }
}

impl fmt::Debug for Volo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Volo").finish_non_exhaustive()
    }
}

impl Echo for Answers {
    async fn small(&self, value: Record) -> Result<Record, ServerError> {
        match self.0.answer(Value::Small(value)).await {
            Ok(Value::Small(record)) => Ok(record),
            other => Err(failed(other)),
        }
    }

    async fn blob(&self, value: Bytes) -> Result<Bytes, ServerError> {
        match self.0.answer(Value::Blob(value)).await {
            Ok(Value::Blob(blob)) => Ok(blob),
            other => Err(failed(other)),
        }
    }

    async fn pause(&self, micros: i64) -> Result<(), ServerError> {
        tokio::time::sleep(Duration::from_micros(micros.unsigned_abs())).await;
        Ok(())
    }
}

/// A data service failed, or gave another kind of value than it got.
fn failed(answer: Result<Value, Error>) -> ServerError {
    let message = match answer {
        Ok(_) => "a value of another kind".into(),
        Err(error) => error.to_string(),
    };
    ApplicationException::new(ApplicationExceptionKind::INTERNAL_ERROR, message).into()
}

/// Thrift has no unsigned numbers.
fn record(small: Small) -> Result<Record, Error> {
    Ok(Record {
        id: small.id.try_into()?,
        name: small.name.into(),
        tags: small.tags.into_iter().map(FastStr::from).collect(),
        salary: small.salary,
        active: small.active,
    })
}
