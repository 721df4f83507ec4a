use std::{
    cell::RefCell,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    Contender, Error, Handler, Payload, Small, Value,
    floor::{self, Frames, HEADER_LEN},
};

/// The second floor: the same echo, with the value written and read as MessagePack on both ends, structs as maps.
#[derive(Clone, Debug)]
pub struct EchoMsgpack {
    client: floor::Client,
}

/// Reads every value and writes it again.
#[derive(Clone, Copy, Debug)]
struct Rewrite;

const SMALL: u8 = 0;
const BLOB: u8 = 1;

/// Bytes of the chunk that a thread cuts bodies from.
const CHUNK: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<BytesMut> = RefCell::default();
}

impl Contender for EchoMsgpack {
    const PACKAGES: &'static [&'static str] = &["tokio", "rmp-serde"];
    const HANDLES: bool = false;

    type Value = Value;

    async fn serve(bound: oneshot::Sender<SocketAddr>, _: Handler<Self>) -> Result<(), Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let _ = bound.send(listener.local_addr()?);
        Ok(floor::serve(listener, Rewrite).await?)
    }

    async fn connect(server: SocketAddr) -> Result<Self, Error> {
        Ok(Self {
            client: floor::Client::connect(server).await?,
        })
    }

    fn value(payload: Payload) -> Result<Value, Error> {
        Ok(payload.value())
    }

    async fn call(&self, value: Value) -> Result<Value, Error> {
        let tag = match &value {
            Value::Small(_) => SMALL,
            Value::Blob(_) => BLOB,
        };
        let answer = self.client.call(tag, encode(&value)?).await?;
        read(tag, &answer)
    }

    async fn pause(&self, _: Duration) -> Result<(), Error> {
        Err("an echo has no handlers".into())
    }
}

impl floor::Handler for Rewrite {
    fn handle<'a>(&self, frames: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<&'a [u8], Error> {
        for frame in Frames::new(frames) {
            let start = scratch.len();
            floor::put_header(scratch, 0, frame.tag, frame.slot);
            read(frame.tag, frame.body)?.write(scratch)?;
            let length = (scratch.len() - start - HEADER_LEN) as u32;
            scratch[start..start + 4].copy_from_slice(&length.to_be_bytes());
        }
        Ok(scratch)
    }
}

fn read(tag: u8, body: &[u8]) -> Result<Value, Error> {
    Ok(match tag {
        SMALL => Value::Small(rmp_serde::from_slice::<Small>(body)?),
        _ => Value::Blob(rmp_serde::from_slice(body)?),
    })
}

/// Writes a value into a chunk of the thread, so that a body costs no allocation.
fn encode(value: &Value) -> Result<Bytes, Error> {
    SCRATCH.with_borrow_mut(|buffer| {
        if buffer.capacity() < CHUNK / 8 {
            buffer.reserve(CHUNK);
        }
        value.write(&mut buffer.writer())?;
        Ok(buffer.split().freeze())
    })
}
