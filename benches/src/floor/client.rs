use std::{future::poll_fn, io, net::SocketAddr, sync::Arc, task::Waker};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::{
    io::AsyncReadExt as _,
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
};

use super::{
    chunks::Chunks,
    frame::split_frame,
    outgoing::{Batch, Outgoing},
    waiters::Waiters,
};

/// The calling end of the echo. A clone shares the connection.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    socket: OwnedWriteHalf,
    state: Mutex<State>,
    /// Frames wait for the writer.
    frames: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiters: Waiters,
    outgoing: Outgoing,
    /// Some task is responsible for writing what is in `outgoing`.
    writing: bool,
    /// What a caller who wrote by itself could not write.
    unfinished: Batch,
}

impl Client {
    /// Connects, with `TCP_NODELAY`.
    ///
    /// # Errors
    ///
    /// As the operating system reports it.
    pub async fn connect(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let (read, socket) = stream.into_split();
        let shared = Arc::new(Shared {
            socket,
            state: Mutex::default(),
            frames: Notify::new(),
        });
        tokio::spawn(run(Arc::clone(&shared), read));
        Ok(Self { shared })
    }

    /// Sends a body and waits for the answer to it.
    ///
    /// # Errors
    ///
    /// When the connection is lost.
    pub async fn call(&self, tag: u8, body: Bytes) -> io::Result<Bytes> {
        let slot = self.shared.send(tag, body);
        let answer = poll_fn(|cx| self.shared.state.lock().waiters.poll(slot, cx)).await;
        answer.ok_or_else(|| io::ErrorKind::ConnectionReset.into())
    }
}

impl Shared {
    fn send(&self, tag: u8, body: Bytes) -> u32 {
        let mut state = self.state.lock();
        let slot = state.waiters.insert();
        state.outgoing.push(slot, tag, body);
        if state.writing {
            return slot;
        }
        state.writing = true;
        if state.waiters.len() > 1 {
            drop(state);
            self.frames.notify_one();
        } else {
            let mut batch = Batch::default();
            state.outgoing.take(&mut batch);
            drop(state);
            self.write_alone(batch);
        }
        slot
    }

    /// Writes as much as the socket takes at once, and leaves the rest to the writer.
    fn write_alone(&self, mut batch: Batch) {
        // An error stays with the socket, where the writer meets it.
        let written = batch.try_write(&self.socket);
        let mut state = self.state.lock();
        if written.is_ok() && !state.outgoing.take(&mut batch) {
            state.writing = false;
            return;
        }
        state.unfinished = batch;
        drop(state);
        self.frames.notify_one();
    }

    async fn write(&self) -> io::Result<()> {
        let mut batch = Batch::default();
        loop {
            self.frames.notified().await;
            if self.state.lock().waiters.len() > 1 {
                tokio::task::yield_now().await;
            }
            while self.next(&mut batch) {
                while let Err(error) = batch.try_write(&self.socket) {
                    if error.kind() != io::ErrorKind::WouldBlock {
                        return Err(error);
                    }
                    self.socket.writable().await?;
                }
            }
        }
    }

    /// What is to be written next; `false` when that is nothing, and whoever comes next has to see to it.
    fn next(&self, batch: &mut Batch) -> bool {
        let mut state = self.state.lock();
        if !state.unfinished.is_empty() {
            std::mem::swap(&mut state.unfinished, batch);
            return true;
        }
        let more = state.outgoing.take(batch);
        state.writing = more;
        more
    }

    async fn read(&self, mut socket: OwnedReadHalf) -> io::Result<()> {
        let (mut buffer, mut chunks) = (BytesMut::new(), Chunks::default());
        let mut wakers: Vec<Waker> = Vec::new();
        loop {
            chunks.make_room(&mut buffer);
            if socket.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
            {
                let mut state = self.state.lock();
                while let Some((slot, body)) = split_frame(&mut buffer) {
                    wakers.extend(state.waiters.complete(slot, body));
                }
            }
            wakers.drain(..).for_each(Waker::wake);
        }
    }
}

/// Reads in one task and writes in another until the connection is lost, and then ends all calls.
async fn run(shared: Arc<Shared>, socket: OwnedReadHalf) {
    let writer = tokio::spawn({
        let shared = Arc::clone(&shared);
        async move { shared.write().await }
    });
    // Whatever the reason, the callers learn that there are no more answers.
    let _ = shared.read(socket).await;
    writer.abort();
    let wakers = shared.state.lock().waiters.close();
    wakers.into_iter().for_each(Waker::wake);
}
