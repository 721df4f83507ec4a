use std::{borrow::Cow, future::poll_fn, time::Duration};

use bytes::Buf as _;
use doge_rpc_core::{
    call::{Request, Response},
    driver::{FrameReader, Read},
    msgpack_rpc::{AskOptions, Message, Messages, Reply, answer, ask},
    transport::{Stream, WriteHalf},
};
use tokio::{io::AsyncWriteExt as _, time::Instant};

use super::failure::Failure;
use crate::{connection::runtime::RuntimeGuard, watch::OpenConnection};

/// One connection, on which one call is made at a time.
#[derive(Debug)]
pub(super) struct Socket {
    reader: FrameReader<Messages>,
    writer: WriteHalf,
    max_message: usize,
    opened: Instant,
    /// The number of the last call; 0 before the first.
    last: u32,
    open: OpenConnection,
    runtime: RuntimeGuard,
}

/// A connection that the server closes within this time, and before a call, was refused.
const NEW: Duration = Duration::from_millis(100);

/// Messages that nobody asked for, and that are passed over while one call waits.
const MAX_STRAYS: u32 = 64;

/// The largest number of a call: peers keep it in 32 bits with a sign.
const LARGEST_ID: u32 = i32::MAX as u32;

const GIVEN_UP: &str = "its call was given up";
const CHANNEL_CLOSED: &str = "the channel was closed";

impl Socket {
    pub(super) fn new(
        stream: Stream,
        max_message: usize,
        open: OpenConnection,
        now: Instant,
    ) -> Self {
        let (read, writer) = stream.split();
        Self {
            reader: FrameReader::new(read, Messages::new(max_message), now),
            writer,
            max_message,
            opened: now,
            last: 0,
            open,
            runtime: RuntimeGuard::here(),
        }
    }

    /// Makes one call. Once this was dropped, or came to anything but an answer or a failure that
    /// [leaves the connection](Failure::leaves_connection), the connection must not be used again.
    pub(super) async fn call(
        &mut self,
        request: &Request,
        options: AskOptions,
    ) -> Result<Response, Failure> {
        let asked = ask(request, next_id(self.last), options).map_err(Failure::Refused)?;
        self.last = next_id(self.last);
        self.closes(GIVEN_UP);
        let mut bytes = asked.head.chain(asked.arguments);
        let all = bytes.remaining();
        let written = self.writer.write_all_buf(&mut bytes).await;
        written.map_err(|error| match bytes.remaining() == all {
            true => Failure::Unsent(error),
            false => Failure::Lost(error),
        })?;
        self.writer.flush().await.map_err(Failure::Lost)?;
        self.answer().await
    }

    /// The answer to the last call.
    async fn answer(&mut self) -> Result<Response, Failure> {
        let mut strays = 0;
        loop {
            let what = match answer(self.message().await?, self.last) {
                Reply::Answer(response) => return Ok(response),
                Reply::OverLimit(why) => return Err(Failure::OverLimit(why)),
                Reply::OutOfStep(why) => return Err(Failure::OutOfStep(why)),
                Reply::Stray(what) => what,
            };
            strays += 1;
            if strays > MAX_STRAYS {
                return Err(Failure::OutOfStep(format!("{what}, and no end of them")));
            }
            tracing::debug!(what, "passing over a message that nobody asked for");
        }
    }

    /// Whether a call was made on it before.
    pub(super) fn was_used(&self) -> bool {
        self.last > 0
    }

    /// Whether it was made just now, and no call was made on it.
    pub(super) fn is_new(&self, now: Instant) -> bool {
        !self.was_used() && now - self.opened <= NEW
    }

    /// Whether the runtime has ended that it was made on, without which nothing can be written or read.
    pub(super) fn was_interrupted(&self) -> bool {
        self.runtime.has_ended()
    }

    /// Whether it can be used for another call: the server has not hung up, and nothing came that nobody asked for.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.reader.is_quiet()
    }

    /// Gives back the memory of a large answer.
    pub(super) fn rest(&mut self) {
        self.closes(CHANNEL_CLOSED);
        self.reader.rest();
    }

    /// Says why it is closed, if that is next.
    pub(super) fn closes(&mut self, why: impl Into<Cow<'static, str>>) {
        self.open.closes(why);
    }

    /// The next message.
    async fn message(&mut self) -> Result<Message, Failure> {
        let mut read = 0;
        loop {
            let too_large = Failure::TooLarge(self.max_message);
            match self.reader.next_frame() {
                Ok(Some(Message::Invalid { .. })) if read > self.max_message => {
                    return Err(too_large);
                }
                Ok(Some(message)) => return Ok(message),
                // There is no point in waiting for the end of it.
                Ok(None) if self.reader.decoder().is_too_large() => return Err(too_large),
                Ok(None) => {}
                Err(violation) => return Err(Failure::OutOfStep(violation.to_string())),
            }
            let bytes = poll_fn(|cx| self.reader.poll_read(cx, Instant::now())).await;
            match bytes.map_err(Failure::Lost)? {
                Read::Bytes(count) => read += count,
                Read::End => return Err(Failure::HungUp),
            }
        }
    }
}

fn next_id(last: u32) -> u32 {
    if last >= LARGEST_ID { 1 } else { last + 1 }
}

#[cfg(test)]
mod tests {
    use super::{LARGEST_ID, next_id};

    #[test]
    fn calls_are_counted_from_one_within_31_bits() {
        assert_eq!(next_id(0), 1);
        assert_eq!(next_id(1), 2);
        assert_eq!(next_id(LARGEST_ID - 1), LARGEST_ID);
        assert_eq!(next_id(LARGEST_ID), 1);
    }
}
