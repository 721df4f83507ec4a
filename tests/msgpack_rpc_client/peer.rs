use std::{
    collections::HashMap,
    future::Future,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use doge_rpc::{
    client::{Channel, ChannelConfig, MsgpackRpcConfig},
    msgpack_rpc::{Message, Messages},
    prelude::*,
    wire,
};
use serde::de::IgnoredAny;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::common::{patient, soon};

/// A server of MessagePack-RPC in the hands of a test.
pub(crate) struct Peer {
    listener: TcpListener,
}

impl Peer {
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener }
    }

    pub(crate) async fn listen_at(place: SocketAddr) -> Self {
        let listener = TcpListener::bind(place).await.unwrap();
        Self { listener }
    }

    pub(crate) fn place(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// As a process of doge is called.
    pub(crate) fn doge(&self) -> String {
        format!("doge://{}", self.place())
    }

    /// As any other server is.
    pub(crate) fn plain(&self) -> String {
        format!("msgpack-rpc://{}", self.place())
    }

    /// The next connection.
    pub(crate) async fn accept(&self) -> Line {
        let (stream, _) = soon(self.listener.accept()).await.unwrap();
        Line {
            stream,
            read: BytesMut::new(),
        }
    }

    /// Whether no further connection was made.
    pub(crate) async fn has_no_more(&self) -> bool {
        let accepted = tokio::time::timeout(Duration::ZERO, self.listener.accept());
        accepted.await.is_err()
    }

    /// Serves each connection like this, until the task ends.
    pub(crate) fn serve<F>(self, each: impl Fn(Line) -> F + Send + 'static) -> Served
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let place = self.place();
        let counts = Arc::new(Counts::default());
        let counted = Arc::clone(&counts);
        let task = tokio::spawn(async move {
            let mut lines = tokio::task::JoinSet::new();
            loop {
                let line = self.accept_ever().await;
                counted.accepted.fetch_add(1, Ordering::SeqCst);
                lines.spawn(each(line));
            }
        });
        Served {
            place,
            counts,
            task,
        }
    }

    async fn accept_ever(&self) -> Line {
        let (stream, _) = self.listener.accept().await.unwrap();
        Line {
            stream,
            read: BytesMut::new(),
        }
    }
}

#[derive(Default)]
struct Counts {
    accepted: AtomicUsize,
}

/// A server that serves by itself, and is killed with this.
pub(crate) struct Served {
    pub(crate) place: SocketAddr,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

impl Served {
    pub(crate) fn doge(&self) -> String {
        format!("doge://{}", self.place)
    }

    /// Connections since the start.
    pub(crate) fn accepted(&self) -> usize {
        self.counts.accepted.load(Ordering::SeqCst)
    }

    /// Kills it; its port is free when this returns.
    pub(crate) async fn kill(mut self) -> SocketAddr {
        self.task.abort();
        let _ = (&mut self.task).await;
        self.place
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection, as the server sees it.
pub(crate) struct Line {
    stream: TcpStream,
    read: BytesMut,
}

/// What came in.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) id: u32,
    pub(crate) method: String,
    /// The params, as a MessagePack array.
    pub(crate) params: Bytes,
    /// All of it.
    pub(crate) bytes: Bytes,
}

impl Asked {
    /// What stands in front of the params.
    pub(crate) fn meta(&self) -> HashMap<String, String> {
        let count = usize::from(self.params[0] - 0x90);
        match count {
            1 => wire::decode::<(_,)>(&self.params).unwrap().0,
            2 => wire::decode::<(_, IgnoredAny)>(&self.params).unwrap().0,
            _ => {
                wire::decode::<(_, IgnoredAny, IgnoredAny)>(&self.params)
                    .unwrap()
                    .0
            }
        }
    }
}

impl Line {
    /// The next request.
    pub(crate) async fn request(&mut self) -> Asked {
        soon(self.next()).await.expect("the client asks")
    }

    /// The next request, whenever it comes; `None` once the client has hung up. That a second one came before the
    /// answer to the first fails the test.
    pub(crate) async fn next(&mut self) -> Option<Asked> {
        loop {
            let mut rest = self.read.clone();
            if let Some(message) = Messages::new(usize::MAX).next(&mut rest).unwrap() {
                let len = self.read.len() - rest.len();
                let bytes = self.read.split_to(len).freeze();
                assert!(rest.is_empty(), "two requests at once: {rest:02x?}");
                let Message::Request { call, .. } = message else {
                    panic!("no request: {message:?}")
                };
                let (_, id, method, _): (u8, u32, String, IgnoredAny) =
                    wire::decode(&bytes).unwrap();
                let params = call.into_params();
                return Some(Asked {
                    id,
                    method,
                    params,
                    bytes,
                });
            }
            if matches!(self.stream.read_buf(&mut self.read).await, Ok(0) | Err(_)) {
                return None;
            }
        }
    }

    /// Writes bytes; that the client has hung up meanwhile is no failure of the test.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Answers with a result that is written so.
    pub(crate) async fn answer(&mut self, id: u32, result: &[u8]) {
        self.send(&answer(id, b"\xc0", result)).await;
    }

    /// Answers with an error that is written so.
    pub(crate) async fn error(&mut self, id: u32, error: &[u8]) {
        self.send(&answer(id, error, b"\xc0")).await;
    }

    /// Waits until the client hangs up, and checks that it says nothing until then.
    pub(crate) async fn until_closed(&mut self) {
        assert!(soon(self.next()).await.is_none());
        assert_eq!(self.read, b""[..]);
    }

    /// Whether nothing came that was not read.
    pub(crate) fn is_silent(&self) -> bool {
        let mut byte = [0];
        let read = self.stream.try_read(&mut byte);
        read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Answers each request with this.
    pub(crate) async fn answer_all(mut self, result: &[u8]) {
        while let Some(asked) = self.next().await {
            self.answer(asked.id, result).await;
        }
    }
}

/// An answer as it is written, of which the parts are written already.
pub(crate) fn answer(id: u32, error: &[u8], result: &[u8]) -> Vec<u8> {
    let id = id.to_be_bytes();
    [b"\x94\x01\xce", &id[..], error, result].concat()
}

/// Something that is remembered from several tasks.
pub(crate) type Noted<T> = Arc<Mutex<Vec<T>>>;

#[service(name = "calculator")]
pub(crate) trait Calculator {
    #[rpc(idempotent)]
    async fn sum(&self, a: u32, b: u32) -> Result<u32, Status>;

    /// Not to be done twice.
    async fn add(&self, a: u32) -> Result<u32, Status>;
}

/// A client with these limits, and a deadline that only a hang reaches.
pub(crate) fn client(address: &str, config: MsgpackRpcConfig) -> CalculatorClient {
    let client = CalculatorClient::new(channel(address, config));
    client.with(patient())
}

pub(crate) fn channel(address: &str, config: MsgpackRpcConfig) -> Channel {
    let config = ChannelConfig {
        msgpack_rpc: config,
        ..ChannelConfig::default()
    };
    Channel::with_config(address.parse().unwrap(), config)
}

/// The defaults, but for the number of connections.
pub(crate) fn at_most(connections: usize) -> MsgpackRpcConfig {
    MsgpackRpcConfig {
        connections,
        ..MsgpackRpcConfig::default()
    }
}

/// Options with a deadline that is over soon.
pub(crate) fn hasty() -> CallOptions {
    CallOptions::new().timeout(Duration::from_millis(50))
}
