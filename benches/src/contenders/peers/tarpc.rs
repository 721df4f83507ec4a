use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use serde_bytes::ByteBuf;
use tarpc::{
    ClientMessage, Response, Transport, client,
    context::{self, Context},
    serde_transport,
    server::{self, BaseChannel, Channel as _},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_serde::formats::{Bincode, MessagePack};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use crate::{Contender, Error, Handler, Payload, Small, Value};

/// Gives back what it gets.
#[tarpc::service]
trait Echo {
    /// A record.
    async fn small(value: Small) -> Result<Small, String>;
    /// Bytes.
    async fn blob(value: ByteBuf) -> Result<ByteBuf, String>;
    /// Nothing, but later.
    async fn pause(time: Duration);
}

/// tarpc with MessagePack, structs as arrays: `tokio-serde`, which brings the formats, has no other.
#[derive(Clone, Debug)]
pub struct TarpcMsgpack(EchoClient);

/// tarpc with bincode.
#[derive(Clone, Debug)]
pub struct TarpcBincode(EchoClient);

/// What a server does with calls.
#[derive(Debug)]
struct Answers<C: Contender>(Handler<C>);

/// More than any load has. "Safe to set to a very large value", says tarpc; its defaults are 1,000 and 100.
const IN_FLIGHT: usize = 16 * 1024;

/// Longer than any load keeps a call waiting.
const DEADLINE: Duration = Duration::from_secs(300);

impl Contender for TarpcMsgpack {
    const PACKAGES: &'static [&'static str] = &["tarpc", "tokio-serde"];

    type Value = Value;

    async fn serve(
        bound: oneshot::Sender<SocketAddr>,
        handler: Handler<Self>,
    ) -> Result<(), Error> {
        let transport = |io| serde_transport::new(io, MessagePack::default());
        serve(bound, handler, transport).await
    }

    async fn connect(server: SocketAddr) -> Result<Self, Error> {
        let io = framed(TcpStream::connect(server).await?)?;
        Ok(Self(client(serde_transport::new(
            io,
            MessagePack::default(),
        ))))
    }

    fn value(payload: Payload) -> Result<Value, Error> {
        Ok(payload.value())
    }

    async fn call(&self, value: Value) -> Result<Value, Error> {
        call(&self.0, value).await
    }

    async fn pause(&self, time: Duration) -> Result<(), Error> {
        Ok(self.0.pause(context(), time).await?)
    }
}

impl Contender for TarpcBincode {
    const PACKAGES: &'static [&'static str] = &["tarpc", "tokio-serde"];

    type Value = Value;

    async fn serve(
        bound: oneshot::Sender<SocketAddr>,
        handler: Handler<Self>,
    ) -> Result<(), Error> {
        let transport = |io| serde_transport::new(io, Bincode::default());
        serve(bound, handler, transport).await
    }

    async fn connect(server: SocketAddr) -> Result<Self, Error> {
        let io = framed(TcpStream::connect(server).await?)?;
        Ok(Self(client(serde_transport::new(io, Bincode::default()))))
    }

    fn value(payload: Payload) -> Result<Value, Error> {
        Ok(payload.value())
    }

    async fn call(&self, value: Value) -> Result<Value, Error> {
        call(&self.0, value).await
    }

    async fn pause(&self, time: Duration) -> Result<(), Error> {
        Ok(self.0.pause(context(), time).await?)
    }
}

impl<C: Contender<Value = Value>> Echo for Answers<C> {
    async fn small(self, _: Context, value: Small) -> Result<Small, String> {
        match self.0.answer(Value::Small(value)).await {
            Ok(Value::Small(small)) => Ok(small),
            Ok(Value::Blob(_)) => Err("a blob for a record".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn blob(self, _: Context, value: ByteBuf) -> Result<ByteBuf, String> {
        match self.0.answer(Value::Blob(value)).await {
            Ok(Value::Blob(blob)) => Ok(blob),
            Ok(Value::Small(_)) => Err("a record for a blob".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn pause(self, _: Context, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl<C: Contender> Clone for Answers<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

type Io = Framed<TcpStream, LengthDelimitedCodec>;

async fn serve<C, T>(
    bound: oneshot::Sender<SocketAddr>,
    handler: Handler<C>,
    transport: impl Fn(Io) -> T,
) -> Result<(), Error>
where
    C: Contender<Value = Value>,
    T: Transport<Response<EchoResponse>, ClientMessage<EchoRequest>> + Send + 'static,
{
    let config = server::Config {
        pending_response_buffer: IN_FLIGHT,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let _ = bound.send(listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let channel = BaseChannel::new(config.clone(), transport(framed(stream)?));
        let calls = channel.execute(Answers(handler.clone()).serve());
        tokio::spawn(calls.for_each(|call| async {
            tokio::spawn(call);
        }));
    }
}

fn client<T>(transport: T) -> EchoClient
where
    T: Transport<ClientMessage<EchoRequest>, Response<EchoResponse>> + Send + 'static,
{
    let mut config = client::Config::default();
    config.max_in_flight_requests = IN_FLIGHT;
    config.pending_request_buffer = IN_FLIGHT;
    EchoClient::new(config, transport).spawn()
}

async fn call(client: &EchoClient, value: Value) -> Result<Value, Error> {
    Ok(match value {
        Value::Small(small) => Value::Small(client.small(context(), small).await??),
        Value::Blob(blob) => Value::Blob(client.blob(context(), blob).await??),
    })
}

fn context() -> Context {
    let mut context = context::current();
    context.deadline = Instant::now() + DEADLINE;
    context
}

/// tarpc leaves `TCP_NODELAY` to who makes the connection.
fn framed(stream: TcpStream) -> io::Result<Io> {
    stream.set_nodelay(true)?;
    Ok(Framed::new(stream, LengthDelimitedCodec::new()))
}
