use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use super::{
    Connection, Shared,
    pipe::{Found, Pipe},
};

/// One end of a connection.
pub(super) struct SimStream {
    network: Arc<Shared>,
    /// Keeps the connection among those of the network, as long as somebody holds one of its ends.
    connection: Arc<Connection>,
    /// Which end it is.
    end: usize,
    /// Ends when the next bytes arrive.
    timer: Option<Pin<Box<Sleep>>>,
}

impl SimStream {
    pub(super) fn new(network: &Arc<Shared>, connection: &Arc<Connection>, end: usize) -> Self {
        Self {
            network: Arc::clone(network),
            connection: Arc::clone(connection),
            end,
            timer: None,
        }
    }

    fn here(&self) -> &str {
        &self.connection.ends[self.end]
    }

    fn there(&self) -> &str {
        &self.connection.ends[1 - self.end]
    }

    fn outbound(&self) -> &Arc<Pipe> {
        &self.connection.pipes[self.end]
    }

    fn inbound(&self) -> &Arc<Pipe> {
        &self.connection.pipes[1 - self.end]
    }
}

impl AsyncRead for SimStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            let (network, end) = (&self.network, &self.connection.ends);
            let (from, to) = (&end[1 - self.end], &end[self.end]);
            let conditions = network.conditions(from, to);
            let now = (!network.is_cut(from, to)).then(Instant::now);
            let taken = |bytes| conditions.draw_length(bytes, &network.env);
            match self.inbound().read(now, buf.remaining(), taken, cx)? {
                Found::Bytes(bytes) => {
                    buf.put_slice(&bytes);
                    return Poll::Ready(Ok(()));
                }
                Found::End => return Poll::Ready(Ok(())),
                Found::Nothing(None) => return Poll::Pending,
                Found::Nothing(Some(at)) => {
                    let timer = self
                        .timer
                        .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
                    timer.as_mut().reset(at);
                    ready!(timer.as_mut().poll(cx));
                }
            }
        }
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let conditions = self.network.conditions(self.here(), self.there());
        let room = ready!(self.outbound().poll_room(conditions.window, cx))?;
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let length = conditions.draw_length(room.min(buf.len()), &self.network.env);
        let length = length.min(buf.len()).min(room);
        let arrival = self.network.arrival(self.here(), self.there());
        let bytes = Bytes::copy_from_slice(&buf[..length]);
        let written = self.outbound().write(bytes, arrival);
        if conditions.reset_after.is_some_and(|limit| written > limit) {
            self.connection.pipes.iter().for_each(|pipe| pipe.reset());
        }
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let arrival = self.network.arrival(self.here(), self.there());
        self.outbound().end(arrival);
        Poll::Ready(Ok(()))
    }
}

/// The peer of an end that is dropped reads what was written and then the end, and writes in vain.
impl Drop for SimStream {
    fn drop(&mut self) {
        let arrival = self.network.arrival(self.here(), self.there());
        self.outbound().end(arrival);
        // A peer that is cut off does not learn of it.
        let is_cut = self.network.is_cut(self.here(), self.there());
        self.inbound().abandon(is_cut);
    }
}
