use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use capnp::{capability, message::ReaderOptions};
use capnp_rpc::{RpcSystem, rpc_twoparty_capnp::Side, twoparty::VatNetwork};
use futures_util::io::{AsyncReadExt as _, BufReader, BufWriter};
use send_wrapper::SendWrapper;
use serde_bytes::ByteBuf;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::oneshot,
};
use tokio_util::compat::TokioAsyncReadCompatExt as _;

use self::echo_capnp::{echo, record};
use crate::{Contender, Error, Handler, Payload, Small, Value};

#[allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::all,
    clippy::nursery,
    clippy::pedantic,
    clippy::restriction,
    reason = "generated"
)]
mod echo_capnp {
    include!(concat!(env!("OUT_DIR"), "/echo_capnp.rs"));
}

/// capnp-rpc. Its objects do not leave their thread, so each process has but one, and all tasks are on it.
#[derive(Clone)]
pub struct Capnp(SendWrapper<echo::Client>);

struct Answers(Handler<Capnp>);

impl Contender for Capnp {
    const PACKAGES: &'static [&'static str] = &["capnp", "capnp-rpc"];

    type Value = Value;

    async fn serve(
        bound: oneshot::Sender<SocketAddr>,
        handler: Handler<Self>,
    ) -> Result<(), Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let _ = bound.send(listener.local_addr()?);
        let answers: SendWrapper<echo::Client> =
            SendWrapper::new(capnp_rpc::new_client(Answers(handler)));
        loop {
            let (stream, _) = listener.accept().await?;
            let network = network(stream, Side::Server)?;
            let system = RpcSystem::new(network, Some(answers.client.clone()));
            tokio::spawn(SendWrapper::new(system));
        }
    }

    async fn connect(server: SocketAddr) -> Result<Self, Error> {
        let network = network(TcpStream::connect(server).await?, Side::Client)?;
        let mut system = RpcSystem::new(network, None);
        let client = system.bootstrap(Side::Server);
        tokio::spawn(SendWrapper::new(system));
        Ok(Self(SendWrapper::new(client)))
    }

    fn value(payload: Payload) -> Result<Value, Error> {
        Ok(payload.value())
    }

    fn call(&self, value: Value) -> impl Future<Output = Result<Value, Error>> + Send {
        let client = self.0.clone();
        SendWrapper::new(async move {
            Ok(match value {
                Value::Small(small) => {
                    let mut request = client.small_request();
                    write(&small, request.get().init_value())?;
                    let response = request.send().promise.await?;
                    Value::Small(read(response.get()?.get_value()?)?)
                }
                Value::Blob(blob) => {
                    let mut request = client.blob_request();
                    request.get().set_value(&blob);
                    let response = request.send().promise.await?;
                    Value::Blob(ByteBuf::from(response.get()?.get_value()?))
                }
            })
        })
    }

    fn pause(&self, time: Duration) -> impl Future<Output = Result<(), Error>> + Send {
        let mut request = self.0.pause_request();
        request.get().set_micros(time.as_micros() as u64);
        SendWrapper::new(async move {
            request.send().promise.await?;
            Ok(())
        })
    }

    fn run<T: Send + 'static>(
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(work)
    }
}

impl fmt::Debug for Capnp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capnp").finish_non_exhaustive()
    }
}

impl echo::Server for Answers {
    async fn small(
        self: capability::Rc<Self>,
        params: echo::SmallParams,
        mut results: echo::SmallResults,
    ) -> Result<(), capnp::Error> {
        let value = params.get()?.get_value()?;
        match &self.0 {
            // From message to message, as anyone would.
            Handler::Echo => results.get().set_value(value),
            chain => match chain.answer(Value::Small(read(value)?)).await {
                Ok(Value::Small(small)) => write(&small, results.get().init_value()),
                other => Err(failed(other)),
            },
        }
    }

    async fn blob(
        self: capability::Rc<Self>,
        params: echo::BlobParams,
        mut results: echo::BlobResults,
    ) -> Result<(), capnp::Error> {
        let value = params.get()?.get_value()?;
        match &self.0 {
            Handler::Echo => results.get().set_value(value),
            chain => match chain.answer(Value::Blob(ByteBuf::from(value))).await {
                Ok(Value::Blob(blob)) => results.get().set_value(&blob),
                other => return Err(failed(other)),
            },
        }
        Ok(())
    }

    async fn pause(
        self: capability::Rc<Self>,
        params: echo::PauseParams,
        _: echo::PauseResults,
    ) -> Result<(), capnp::Error> {
        tokio::time::sleep(Duration::from_micros(params.get()?.get_micros())).await;
        Ok(())
    }
}

/// As the examples of capnp-rpc have it.
fn network(
    stream: TcpStream,
    side: Side,
) -> Result<Box<VatNetwork<impl futures_util::AsyncRead + Unpin>>, Error> {
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.compat().split();
    let (reader, writer) = (BufReader::new(reader), BufWriter::new(writer));
    let options = ReaderOptions::default();
    Ok(Box::new(VatNetwork::new(reader, writer, side, options)))
}

fn write(small: &Small, mut record: record::Builder<'_>) -> Result<(), capnp::Error> {
    record.set_id(small.id);
    record.set_name(&small.name);
    let mut tags = record.reborrow().init_tags(small.tags.len() as u32);
    for (index, tag) in (0..).zip(&small.tags) {
        tags.set(index, tag);
    }
    record.set_salary(small.salary);
    record.set_active(small.active);
    Ok(())
}

fn read(record: record::Reader<'_>) -> Result<Small, capnp::Error> {
    let tags = record.get_tags()?.iter();
    Ok(Small {
        id: record.get_id(),
        name: record.get_name()?.to_string()?,
        tags: tags
            .map(|tag| Ok(tag?.to_string()?))
            .collect::<Result<_, capnp::Error>>()?,
        salary: record.get_salary(),
        active: record.get_active(),
    })
}

/// A data service failed, or gave another kind of value than it got.
fn failed(answer: Result<Value, Error>) -> capnp::Error {
    capnp::Error::failed(match answer {
        Ok(_) => "a value of another kind".into(),
        Err(error) => error.to_string(),
    })
}
