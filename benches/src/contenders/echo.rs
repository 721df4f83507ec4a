use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use tokio::{net::TcpListener, sync::oneshot};

use crate::{Contender, Error, Handler, Payload, floor};

/// The first floor: the bytes of a payload, there and back, and nothing else.
#[derive(Clone, Debug)]
pub struct Echo {
    client: floor::Client,
}

#[derive(Clone, Copy, Debug)]
struct SameBytes;

impl Contender for Echo {
    const PACKAGES: &'static [&'static str] = &["tokio"];
    const HANDLES: bool = false;

    type Value = Bytes;

    async fn serve(bound: oneshot::Sender<SocketAddr>, _: Handler<Self>) -> Result<(), Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let _ = bound.send(listener.local_addr()?);
        Ok(floor::serve(listener, SameBytes).await?)
    }

    async fn connect(server: SocketAddr) -> Result<Self, Error> {
        Ok(Self {
            client: floor::Client::connect(server).await?,
        })
    }

    fn value(payload: Payload) -> Result<Bytes, Error> {
        let mut bytes = Vec::new();
        payload.value().write(&mut bytes)?;
        Ok(bytes.into())
    }

    async fn call(&self, value: Bytes) -> Result<Bytes, Error> {
        let answer = self.client.call(0, value.clone()).await?;
        if answer.len() != value.len() {
            return Err("the answer has another length".into());
        }
        Ok(value)
    }

    async fn pause(&self, _: Duration) -> Result<(), Error> {
        Err("an echo has no handlers".into())
    }
}

impl floor::Handler for SameBytes {
    fn handle<'a>(&self, frames: &'a [u8], _: &'a mut Vec<u8>) -> Result<&'a [u8], Error> {
        Ok(frames)
    }
}
