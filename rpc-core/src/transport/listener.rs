use std::{fmt, io, os::unix::fs::FileTypeExt as _, path::PathBuf, sync::Arc};

use tokio::net::{TcpListener, UnixListener, UnixStream};

use super::{Address, Stream, memory};

/// Where connections come in.
pub struct Listener {
    repr: Repr,
    address: Address,
    _unlink: Option<Unlink>,
}

enum Repr {
    Tcp(TcpListener),
    Unix(UnixListener),
    Memory(memory::Listener),
}

impl Listener {
    /// Listens at an address. TCP port 0 lets the system choose; [`address`](Self::address) tells which it chose. A
    /// Unix socket that a dead process left behind is replaced. Cancel safe: a dropped attempt listens nowhere.
    ///
    /// # Errors
    ///
    /// As the operating system reports it; for a taken address, `AddrInUse`.
    pub async fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(text) => Self::tcp(TcpListener::bind(&**text).await?),
            Address::Unix(path) => {
                remove_if_dead(path).await?;
                let listener = UnixListener::bind(&**path)?;
                let unlink = Some(Unlink(Arc::clone(path)));
                Ok(Self {
                    repr: Repr::Unix(listener),
                    address: address.clone(),
                    _unlink: unlink,
                })
            }
            Address::Memory(name) => {
                let listener = memory::Listener::bind(name)?;
                Ok(Self {
                    repr: Repr::Memory(listener),
                    address: address.clone(),
                    _unlink: None,
                })
            }
            Address::Doge(rest) | Address::MsgpackRpc(rest) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("listen at tcp://{rest}, where both dialects are understood"),
            )),
        }
    }

    /// Listens on a socket that somebody else has opened.
    ///
    /// # Errors
    ///
    /// When the socket has no address.
    pub fn tcp(listener: TcpListener) -> io::Result<Self> {
        let address = Address::Tcp(listener.local_addr()?.to_string().into());
        Ok(Self {
            repr: Repr::Tcp(listener),
            address,
            _unlink: None,
        })
    }

    /// Where it listens, with the port that the system chose.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The next connection, and whom it is with. Cancel safe.
    ///
    /// # Errors
    ///
    /// As the operating system reports it; the listener is still good after that.
    pub async fn accept(&self) -> io::Result<(Stream, Address)> {
        match &self.repr {
            Repr::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Stream::tcp(stream)?, Address::Tcp(peer.to_string().into())))
            }
            Repr::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::unix(stream), self.address.clone()))
            }
            Repr::Memory(listener) => Ok((listener.accept().await?, self.address.clone())),
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listener").field(&self.address).finish()
    }
}

/// Removes the socket's file with its listener.
struct Unlink(Arc<PathBuf>);

impl Drop for Unlink {
    fn drop(&mut self) {
        // Somebody may have removed it already, which is as good.
        let _ = std::fs::remove_file(&*self.0);
    }
}

/// A socket that nobody answers at is a leftover. Anything else at its place is somebody's, and stays.
async fn remove_if_dead(path: &PathBuf) -> io::Result<()> {
    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if !is_socket {
        return Ok(());
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        _ => Ok(()),
    }
}
