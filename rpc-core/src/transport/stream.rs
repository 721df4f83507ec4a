use std::{
    fmt, io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    net::{TcpStream, UnixStream, tcp, unix},
};

/// A connection on which nothing came for so long is looked after by the system.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);

/// Between two looks of the system, of which nine in vain end the connection.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// A connected stream of bytes.
pub struct Stream(Repr);

enum Repr {
    Tcp(TcpStream),
    Unix(UnixStream),
    Other(Box<dyn Duplex>),
    /// A pipe inside the process, which holds nothing back.
    Pipe(DuplexStream),
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Stream {
    /// Over a TCP connection, with `TCP_NODELAY`: frames are gathered before they are written, so holding them back
    /// would only delay them. With `SO_KEEPALIVE`, for peers whose dialect has no pings: one that is gone without a word
    /// is noticed within minutes.
    ///
    /// # Errors
    ///
    /// When an option cannot be set, as on a connection that is gone.
    pub fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new()
            .with_time(KEEPALIVE_AFTER)
            .with_interval(KEEPALIVE_INTERVAL);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        Ok(Self(Repr::Tcp(stream)))
    }

    /// Over a Unix socket.
    pub fn unix(stream: UnixStream) -> Self {
        Self(Repr::Unix(stream))
    }

    /// Over anything that reads and writes. Buffers are welcome: what is written is flushed.
    pub fn other(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self(Repr::Other(Box::new(stream)))
    }

    /// Over a pipe inside the process.
    pub(super) fn pipe(pipe: DuplexStream) -> Self {
        Self(Repr::Pipe(pipe))
    }

    /// The two directions, each for a task of its own.
    pub fn split(self) -> (ReadHalf, WriteHalf) {
        match self.0 {
            Repr::Tcp(stream) => {
                let (read, write) = stream.into_split();
                (
                    ReadHalf(ReadRepr::Tcp(read)),
                    WriteHalf(WriteRepr::Tcp(write)),
                )
            }
            Repr::Unix(stream) => {
                let (read, write) = stream.into_split();
                (
                    ReadHalf(ReadRepr::Unix(read)),
                    WriteHalf(WriteRepr::Unix(write)),
                )
            }
            Repr::Pipe(stream) => {
                let (read, write) = tokio::io::split(stream);
                (
                    ReadHalf(ReadRepr::Pipe(read)),
                    WriteHalf(WriteRepr::Pipe(write)),
                )
            }
            Repr::Other(stream) => {
                let (read, write) = tokio::io::split(stream);
                (
                    ReadHalf(ReadRepr::Other(read)),
                    WriteHalf(WriteRepr::Other(write)),
                )
            }
        }
    }
}

/// The same call on whichever stream or half it is.
macro_rules! each {
    ($repr:ident, $value:expr, $inner:ident => $call:expr) => {
        match $value {
            $repr::Tcp($inner) => $call,
            $repr::Unix($inner) => $call,
            $repr::Other($inner) => $call,
            $repr::Pipe($inner) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(Repr, &mut self.0, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(Repr, &mut self.0, stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(Repr, &mut self.0, stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        each!(Repr, &self.0, stream => stream.is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(Repr, &mut self.0, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(Repr, &mut self.0, stream => Pin::new(stream).poll_shutdown(cx))
    }
}

/// The direction from the peer.
pub struct ReadHalf(ReadRepr);

enum ReadRepr {
    Tcp(tcp::OwnedReadHalf),
    Unix(unix::OwnedReadHalf),
    Other(tokio::io::ReadHalf<Box<dyn Duplex>>),
    Pipe(tokio::io::ReadHalf<DuplexStream>),
}

impl ReadHalf {
    /// Whether there is nothing to read at this moment, not even that the peer has hung up. The system is asked: the
    /// runtime may not have looked yet.
    pub fn is_quiet(&mut self) -> bool {
        match &mut self.0 {
            ReadRepr::Tcp(half) => is_quiet(&SockRef::from(half.as_ref())),
            ReadRepr::Unix(half) => is_quiet(&SockRef::from(half.as_ref())),
            ReadRepr::Other(half) => has_nothing(half),
            ReadRepr::Pipe(half) => has_nothing(half),
        }
    }
}

/// What is read is lost, as is the use of a stream that is not quiet.
fn has_nothing(half: &mut (impl AsyncRead + Unpin)) -> bool {
    let (mut byte, mut cx) = ([0], Context::from_waker(Waker::noop()));
    let mut byte = ReadBuf::new(&mut byte);
    Pin::new(half).poll_read(&mut cx, &mut byte).is_pending()
}

fn is_quiet(socket: &SockRef<'_>) -> bool {
    let peeked = socket.peek(&mut [MaybeUninit::uninit()]);
    peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

impl AsyncRead for ReadHalf {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(ReadRepr, &mut self.0, half => Pin::new(half).poll_read(cx, buf))
    }
}

/// The direction to the peer.
pub struct WriteHalf(WriteRepr);

enum WriteRepr {
    Tcp(tcp::OwnedWriteHalf),
    Unix(unix::OwnedWriteHalf),
    Other(tokio::io::WriteHalf<Box<dyn Duplex>>),
    Pipe(tokio::io::WriteHalf<DuplexStream>),
}

impl WriteHalf {
    /// Whether what was written may be in a buffer until it is flushed. The sockets of the system and pipes have none.
    #[inline]
    pub fn buffers(&self) -> bool {
        matches!(self.0, WriteRepr::Other(_))
    }
}

impl AsyncWrite for WriteHalf {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(WriteRepr, &mut self.0, half => Pin::new(half).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(WriteRepr, &mut self.0, half => Pin::new(half).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        each!(WriteRepr, &self.0, half => half.is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(WriteRepr, &mut self.0, half => Pin::new(half).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(WriteRepr, &mut self.0, half => Pin::new(half).poll_shutdown(cx))
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

impl fmt::Debug for ReadHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadHalf")
    }
}

impl fmt::Debug for WriteHalf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WriteHalf")
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream, UnixStream},
    };

    use super::Stream;
    use crate::transport::memory;

    async fn pairs() -> [(Stream, Stream); 3] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap());
        let (ours, theirs) = tokio::join!(ours, listener.accept());
        let tcp = (ours.unwrap(), theirs.unwrap().0);
        let unix = UnixStream::pair().unwrap();
        [
            (Stream::tcp(tcp.0).unwrap(), Stream::tcp(tcp.1).unwrap()),
            (Stream::unix(unix.0), Stream::unix(unix.1)),
            memory::pair(10),
        ]
    }

    #[tokio::test]
    async fn a_stream_is_quiet_until_there_is_something_to_read() {
        for (ours, theirs) in pairs().await {
            let ((mut read, _write), (_read, mut write)) = (ours.split(), theirs.split());
            for _ in 0..3 {
                assert!(read.is_quiet());
                write.write_all(b"x").await.unwrap();
                assert_eq!(read.read(&mut [0; 10]).await.unwrap(), 1);
            }
            write.write_all(b"x").await.unwrap();
            // At once, though the runtime has not looked since.
            assert!(!read.is_quiet());
        }
    }

    #[tokio::test]
    async fn a_stream_whose_peer_has_hung_up_is_not_quiet() {
        for (ours, theirs) in pairs().await {
            let (mut read, _write) = ours.split();
            assert!(read.is_quiet());
            drop(theirs);
            assert!(!read.is_quiet());
        }
    }
}
