use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

use super::soon;

/// Stands between clients and one server: counts connections, cuts and freezes them.
#[derive(Clone)]
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    target: watch::Sender<Option<SocketAddr>>,
    accepted: AtomicUsize,
    open: watch::Sender<usize>,
    frozen: watch::Sender<bool>,
    /// Counted up to end the connections that there are.
    cuts: watch::Sender<usize>,
}

impl Proxy {
    /// Takes connections, which wait until there is a server for them.
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::new(Shared {
                target: watch::Sender::new(None),
                accepted: AtomicUsize::new(0),
                open: watch::Sender::new(0),
                frozen: watch::Sender::new(false),
                cuts: watch::Sender::new(0),
            }),
        };
        tokio::spawn({
            let proxy = proxy.clone();
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    proxy.shared.accepted.fetch_add(1, Ordering::SeqCst);
                    proxy.shared.open.send_modify(|open| *open += 1);
                    let open = Open(Arc::clone(&proxy.shared));
                    tokio::spawn(open.pass(client));
                }
            }
        });
        proxy
    }

    pub(crate) fn forward_to(&self, server: &str) {
        let server = server.trim_start_matches("tcp://").parse().unwrap();
        self.shared.target.send_replace(Some(server));
    }

    pub(crate) fn address(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// Connections since the start.
    pub(crate) fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Waits until so many connections are open.
    pub(crate) async fn until_open(&self, count: usize) {
        let mut open = self.shared.open.subscribe();
        soon(open.wait_for(|open| *open == count)).await.unwrap();
    }

    /// Ends all connections that there are.
    pub(crate) fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Lets nothing through, while connections stay open and new ones are taken: as a process that is stopped, or a
    /// network that loses all.
    pub(crate) fn freeze(&self) {
        self.shared.frozen.send_replace(true);
    }

    /// Lets everything through again, what was held back first.
    pub(crate) fn thaw(&self) {
        self.shared.frozen.send_replace(false);
    }
}

/// One connection, counted as open until it is dropped.
struct Open(Arc<Shared>);

impl Open {
    async fn pass(self, client: TcpStream) {
        let (mut cuts, mut target) = (self.0.cuts.subscribe(), self.0.target.subscribe());
        let passing = async {
            let server = target.wait_for(Option::is_some).await.ok()?.unwrap();
            let server = TcpStream::connect(server).await.ok()?;
            for end in [&client, &server] {
                end.set_nodelay(true).ok()?;
            }
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::select! {
                _ = self.pump(from_client, to_server) => {}
                _ = self.pump(from_server, to_client) => {}
            }
            Some(())
        };
        tokio::select! {
            _ = passing => {}
            _ = cuts.changed() => {}
        }
    }

    async fn pump(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> Option<()> {
        let (mut frozen, mut buffer) = (self.0.frozen.subscribe(), vec![0; 64 * 1024]);
        loop {
            let read = from.read(&mut buffer).await.ok()?;
            frozen.wait_for(|frozen| !frozen).await.ok()?;
            if read == 0 {
                return None;
            }
            to.write_all(&buffer[..read]).await.ok()?;
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}
