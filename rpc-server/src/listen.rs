use std::future::{Future, ready};

use doge_rpc_core::transport::{Address, IntoAddress as _, Listener, Transport};

use crate::StartError;

/// What a server can listen on: an address or a text that names one, a socket that is bound already, and several of
/// either as an array or a vector.
///
/// Sockets are those of tokio and of the standard library, TCP and Unix; [`Listener`] has what else there is, such as the
/// sockets that systemd passes to a process.
///
/// ```
/// use doge_rpc_server::{Server, StartError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bound = std::net::TcpListener::bind("127.0.0.1:0")?;
/// let server = Server::builder().start(bound).await?;
/// server.drain().await;
///
/// let server = Server::builder().start(["tcp://127.0.0.1:0", "tcp://[::1]:0"]).await?;
/// assert_eq!(server.addresses().len(), 2);
/// server.drain().await;
/// # Ok(())
/// # }
/// ```
pub trait ListenOn: Send {
    /// Listens, where that is not so already. Addresses are bound by the transport of the server.
    ///
    /// # Errors
    ///
    /// A [`StartError`]; nothing listens then.
    fn listen(
        self,
        transport: &dyn Transport,
    ) -> impl Future<Output = Result<Vec<Listener>, StartError>> + Send;
}

macro_rules! listen_on_addresses {
    ($($form:ty),*) => {$(
        impl ListenOn for $form {
            async fn listen(self, transport: &dyn Transport) -> Result<Vec<Listener>, StartError> {
                let address = self.into_address()?;
                let bound = Listener::bind_with(transport, &address).await;
                let listener = bound.map_err(|source| StartError::Bind { address, source })?;
                Ok(vec![listener])
            }
        }
    )*};
}

listen_on_addresses!(Address, &Address, &str, &String, String);

macro_rules! listen_on_sockets {
    ($($socket:ty),*) => {$(
        impl ListenOn for $socket {
            fn listen(
                self,
                _: &dyn Transport,
            ) -> impl Future<Output = Result<Vec<Listener>, StartError>> + Send {
                let listener = Listener::try_from(self).map_err(StartError::Socket);
                ready(listener.map(|listener| vec![listener]))
            }
        }
    )*};
}

listen_on_sockets!(
    tokio::net::TcpListener,
    tokio::net::UnixListener,
    std::net::TcpListener,
    std::os::unix::net::UnixListener
);

impl ListenOn for Listener {
    fn listen(
        self,
        _: &dyn Transport,
    ) -> impl Future<Output = Result<Vec<Self>, StartError>> + Send {
        ready(Ok(vec![self]))
    }
}

impl<T: ListenOn> ListenOn for Vec<T> {
    async fn listen(self, transport: &dyn Transport) -> Result<Vec<Listener>, StartError> {
        let mut listeners = Vec::new();
        for each in self {
            listeners.extend(each.listen(transport).await?);
        }
        Ok(listeners)
    }
}

impl<T: ListenOn, const N: usize> ListenOn for [T; N] {
    fn listen(
        self,
        transport: &dyn Transport,
    ) -> impl Future<Output = Result<Vec<Listener>, StartError>> + Send {
        Vec::from(self).listen(transport)
    }
}
