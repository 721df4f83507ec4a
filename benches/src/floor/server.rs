use std::io;

use bytes::{Buf as _, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{chunks::Chunks, frame::Frames};
use crate::Error;

/// What the serving end does with frames.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Turns whole frames into the bytes that answer them, which may be made in `scratch`, an empty buffer.
    ///
    /// # Errors
    ///
    /// Whatever makes the connection not worth keeping.
    fn handle<'a>(&self, frames: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<&'a [u8], Error>;
}

/// Serves every connection in a task of its own.
///
/// # Errors
///
/// When no connection can be taken any more.
pub async fn serve<H: Handler>(listener: TcpListener, handler: H) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(connection(stream, handler.clone()));
    }
}

async fn connection<H: Handler>(mut stream: TcpStream, handler: H) -> Result<(), Error> {
    let (mut buffer, mut chunks, mut scratch) = (BytesMut::new(), Chunks::default(), Vec::new());
    loop {
        chunks.make_room(&mut buffer);
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
        let whole = Frames::whole(&buffer);
        scratch.clear();
        let answers = handler.handle(&buffer[..whole], &mut scratch)?;
        stream.write_all(answers).await?;
        buffer.advance(whole);
    }
}
