//! A network inside the process, whose faults come from a seed.

mod conditions;
mod pipe;
mod stream;
mod transport;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use doge_base::Env;
use parking_lot::Mutex;
use tokio::{sync::mpsc, time::Instant};

pub use self::{conditions::Conditions, transport::HostTransport};
use self::{pipe::Pipe, stream::SimStream};

/// A network of hosts, each of which has a [transport](Network::transport) of its own: `tcp://name:port` is the host
/// `name`.
///
/// What is written arrives after a delay, in the order in which it was written, cut at any byte. Links are cut in one
/// direction or in both, slowed down, and healed; connections are reset. All of it is drawn from one [`Env`], so that a
/// run of one seed is the same each time, on a runtime of one thread with tokio's clock paused.
///
/// As in TCP, what is on its way when a link is cut arrives once the link is healed. Who connects over a link that is cut
/// waits until then.
///
/// ```
/// use std::time::Duration;
///
/// use doge_base::Env;
/// use doge_rpc_core::transport::{Location, Transport};
/// use doge_testing::Network;
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> std::io::Result<()> {
/// let network = Network::new(Env::seeded(1));
/// let (front, back) = (network.transport("front"), network.transport("back"));
/// let at = Location::Tcp("back:7000".parse().unwrap());
/// let listener = back.listen(&at).await?;
/// let (client, server) = tokio::join!(front.connect(&at, Duration::from_secs(1)), listener.accept());
/// let (mut client, (mut server, peer)) = (client?, server?);
/// client.write_all(b"hello").await?;
/// let mut read = [0; 5];
/// server.read_exact(&mut read).await?;
/// assert_eq!(&read, b"hello");
/// assert!(peer.to_string().starts_with("tcp://front:"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Network {
    shared: Arc<Shared>,
}

struct Shared {
    env: Env,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    usual: Conditions,
    links: BTreeMap<Link, LinkState>,
    listeners: BTreeMap<Place, mpsc::UnboundedSender<Accepted>>,
    connections: Vec<Weak<Connection>>,
    /// Hosts that are gone without a word.
    silent: BTreeMap<String, ()>,
    next_port: u16,
    /// Those who wait for a link to be healed.
    healed: Arc<tokio::sync::Notify>,
}

/// From one host to another.
type Link = (String, String);

/// A host and a port.
type Place = (String, u16);

/// The server's end of a connection, and the client's place.
type Accepted = (SimStream, Place);

#[derive(Clone, Default)]
struct LinkState {
    conditions: Option<Conditions>,
    cut: bool,
}

/// Both directions of a connection.
struct Connection {
    ends: [String; 2],
    /// From the first end to the second, and back.
    pipes: [Arc<Pipe>; 2],
}

impl Network {
    /// A network on which bytes take 0.1 to 2 ms, with nothing cut.
    #[must_use]
    pub fn new(env: Env) -> Self {
        Self {
            shared: Arc::new(Shared {
                env,
                state: Mutex::new(State {
                    next_port: FIRST_PORT,
                    ..State::default()
                }),
            }),
        }
    }

    /// What this host connects and listens with.
    #[must_use]
    pub fn transport(&self, host: impl Into<String>) -> Arc<HostTransport> {
        Arc::new(HostTransport::new(self.clone(), host.into()))
    }

    /// Sets what all links are like that have no conditions of their own. Connections that stand change as well.
    pub fn set_conditions(&self, conditions: Conditions) {
        let mut state = self.shared.state.lock();
        state.usual = conditions;
        state.wake_all();
    }

    /// Sets what the link from one host to another is like.
    pub fn set_link(&self, from: &str, to: &str, conditions: Conditions) {
        self.link(from, to, |link| link.conditions = Some(conditions));
        self.shared.state.lock().wake_all();
    }

    /// Cuts the link in this direction: nothing arrives before it is healed.
    pub fn cut(&self, from: &str, to: &str) {
        self.link(from, to, |link| link.cut = true);
    }

    /// Cuts the links between two hosts in both directions.
    pub fn partition(&self, one: &str, other: &str) {
        self.cut(one, other);
        self.cut(other, one);
    }

    /// Heals all links: none is cut, and none has conditions of its own. Hosts that are silent stay so.
    pub fn heal(&self) {
        let mut state = self.shared.state.lock();
        state.links.clear();
        state.wake_all();
    }

    /// Cuts the link in this direction for a while.
    pub fn stall(&self, from: &str, to: &str, time: Duration) {
        self.cut(from, to);
        let (network, from, to) = (self.clone(), from.to_owned(), to.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            network.link(&from, &to, |link| link.cut = false);
            network.shared.state.lock().wake_all();
        });
    }

    /// Resets all connections between two hosts: both ends meet an error, and what is on its way is lost.
    pub fn reset(&self, one: &str, other: &str) {
        self.each_connection(|ends| {
            let between = [one, other];
            between.contains(&ends[0].as_str()) && between.contains(&ends[1].as_str())
        });
    }

    /// Ends a host as when its process is killed: its connections are reset and nobody listens there any more. What it
    /// connects and listens with after that works.
    pub fn kill(&self, host: &str) {
        let mut state = self.shared.state.lock();
        state.listeners.retain(|(name, _), _| name != host);
        drop(state);
        self.each_connection(|ends| ends.iter().any(|end| end == host));
    }

    /// Takes a host off the network as when its power is cut: its peers hear nothing any more, not even that it is gone.
    pub fn silence(&self, host: &str) {
        let mut state = self.shared.state.lock();
        state.silent.insert(host.to_owned(), ());
        state.listeners.retain(|(name, _), _| name != host);
    }

    /// Brings a host back that was [silenced](Self::silence): peers that still speak to what was there before are reset.
    pub fn restore(&self, host: &str) {
        let mut state = self.shared.state.lock();
        state.silent.remove(host);
        state.wake_all();
        drop(state);
        self.each_connection(|ends| ends.iter().any(|end| end == host));
    }

    /// Connections that stand.
    #[must_use]
    pub fn connections(&self) -> usize {
        let connections = self.live();
        let open = connections.iter().filter(|it| !it.pipes[0].is_reset());
        open.count()
    }

    fn link(&self, from: &str, to: &str, change: impl FnOnce(&mut LinkState)) {
        let mut state = self.shared.state.lock();
        let link = (from.to_owned(), to.to_owned());
        change(state.links.entry(link).or_default());
    }

    fn each_connection(&self, is_meant: impl Fn(&[String; 2]) -> bool) {
        let connections = self.live();
        for connection in connections.iter().filter(|it| is_meant(&it.ends)) {
            connection.pipes.iter().for_each(|pipe| pipe.reset());
        }
    }

    /// The connections of which somebody holds an end, in the order in which they were made.
    fn live(&self) -> Vec<Arc<Connection>> {
        let mut state = self.shared.state.lock();
        state.connections.retain(|it| it.strong_count() > 0);
        state.connections.iter().filter_map(Weak::upgrade).collect()
    }
}

/// Where ports begin that the network chooses.
const FIRST_PORT: u16 = 10_000;

impl Shared {
    fn conditions(&self, from: &str, to: &str) -> Conditions {
        self.state.lock().conditions(from, to)
    }

    fn is_cut(&self, from: &str, to: &str) -> bool {
        self.state.lock().is_cut(from, to)
    }

    /// When what is written now from one host to another arrives.
    fn arrival(&self, from: &str, to: &str) -> Instant {
        Instant::now() + self.conditions(from, to).draw_delay(&self.env)
    }
}

impl State {
    fn conditions(&self, from: &str, to: &str) -> Conditions {
        let link = self.links.get(&(from.to_owned(), to.to_owned()));
        let own = link.and_then(|link| link.conditions.clone());
        own.unwrap_or_else(|| self.usual.clone())
    }

    fn is_cut(&self, from: &str, to: &str) -> bool {
        let is_silent = |host: &str| self.silent.contains_key(host);
        let link = self.links.get(&(from.to_owned(), to.to_owned()));
        is_silent(from) || is_silent(to) || link.is_some_and(|link| link.cut)
    }

    /// Lets everyone look again.
    fn wake_all(&mut self) {
        self.healed.notify_waiters();
        self.connections.retain(|it| it.strong_count() > 0);
        for connection in self.connections.iter().filter_map(Weak::upgrade) {
            connection.pipes.iter().for_each(|pipe| pipe.wake());
        }
    }

    fn free_port(&mut self) -> u16 {
        let port = self.next_port;
        self.next_port = port.checked_add(1).unwrap_or(FIRST_PORT);
        port
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}
