use std::{sync::Arc, time::Duration};

use doge_rpc_core::{
    Deadline, Status,
    call::{Request, Response, Route},
    transport::{Address, Listener, ReadHalf, WriteHalf},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

use super::super::{MsgpackRpcConfig, Pool};
use crate::{ChannelConfig, watch::Connections};

/// A server at the other end of pipes.
pub(super) struct Peer {
    listener: Listener,
}

/// One connection, as the server sees it.
pub(super) struct Line {
    read: ReadHalf,
    write: WriteHalf,
}

impl Peer {
    pub(super) async fn listen(name: &str) -> Self {
        let address = Address::memory(name);
        let listener = Listener::bind(&address).await.unwrap();
        Self { listener }
    }

    /// Connections as this says.
    pub(super) async fn pool(&self, msgpack_rpc: MsgpackRpcConfig) -> Arc<Pool> {
        let config = ChannelConfig {
            msgpack_rpc,
            ..ChannelConfig::default()
        };
        let opened = Arc::new(Connections::new(self.listener.address().clone()));
        let pool = Pool::open(self.listener.address(), false, &config, &opened).await;
        Arc::new(pool.unwrap())
    }

    pub(super) async fn accept(&self) -> Line {
        let (stream, _) = self.listener.accept().await.unwrap();
        let (read, write) = stream.split();
        Line { read, write }
    }
}

impl Line {
    /// Says that the call of this number failed; that the client has hung up meanwhile is no failure of the test.
    pub(super) async fn fail(&mut self, id: u8) {
        let answer = [0x94, 1, id, 0xA4, b'b', b'o', b'o', b'm', 0xC0];
        let _ = self.write.write_all(&answer).await;
    }

    /// The only argument of the next call, and its number.
    pub(super) async fn asked(&mut self) -> Option<(u8, u8)> {
        let mut request = *b"\x94\x00\x00\xa1m\x91\x00";
        self.read.read_exact(&mut request).await.ok()?;
        Some((request[6], request[2]))
    }

    pub(super) async fn answer(&mut self, id: u8) {
        let answer = [0x94, 1, id, 0xC0, 7];
        self.write.write_all(&answer).await.unwrap();
    }

    /// Answers all that comes, until the client hangs up.
    pub(super) async fn answer_all(&mut self) {
        while let Some((_, id)) = self.asked().await {
            self.answer(id).await;
        }
    }
}

/// Calls with this argument, and so much time.
pub(super) async fn call(pool: &Pool, argument: u8, timeout: Duration) -> Result<Response, Status> {
    let route = Route::named("s", "m").unwrap();
    let body = vec![0x91, argument];
    let request = Request::new(route, body.into(), Deadline::after(timeout));
    pool.call(&request, Instant::now()).await
}
