use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, LazyLock, Weak},
};

use doge_rpc_core::transport::Address;
use parking_lot::Mutex;
use tokio::runtime::{Handle, Id};

use super::{Channel, ChannelConfig, connector::Connector};

/// Channels by address, so that all who call services of one instance share its connection. Cheap to clone.
///
/// A channel lives as long as somebody holds it; the pool only knows it. Clusters that are told nothing else use the
/// pool of the process.
///
/// ```
/// use doge_rpc_client::ChannelPool;
///
/// let pool = ChannelPool::default();
/// let address = "tcp://127.0.0.1:4399".parse()?;
/// let (one, other) = (pool.channel(&address), pool.channel(&address));
/// assert!(one.shares_connection_with(&other));
/// # Ok::<(), doge_rpc_core::transport::AddressError>(())
/// ```
#[derive(Clone, Default)]
pub struct ChannelPool {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    config: ChannelConfig,
    channels: Mutex<Channels>,
}

/// A connection lives on the runtime that dialled it, so another runtime has a channel of its own.
type Key = (Option<Id>, Address);

#[derive(Default)]
struct Channels {
    by_address: HashMap<Key, Weak<Connector>>,
    /// At this size what nobody holds any more is thrown out.
    full: usize,
}

impl ChannelPool {
    /// A pool of its own, whose channels are as this has them.
    pub fn new(config: ChannelConfig) -> Self {
        Self {
            shared: Arc::new(Shared {
                config,
                channels: Mutex::default(),
            }),
        }
    }

    /// The pool that all clusters of this process share unless told otherwise; its channels are as the defaults have
    /// them.
    pub fn of_process() -> Self {
        static POOL: LazyLock<ChannelPool> = LazyLock::new(ChannelPool::default);
        POOL.clone()
    }

    /// The channel to this address. Nothing is connected yet if it is new.
    pub fn channel(&self, address: &Address) -> Channel {
        let runtime = Handle::try_current().ok().map(|handle| handle.id());
        let mut channels = self.shared.channels.lock();
        let key = (runtime, address.clone());
        if let Some(connector) = channels.by_address.get(&key).and_then(Weak::upgrade) {
            return Channel { connector };
        }
        let channel = Channel::with_config(address.clone(), self.shared.config.clone());
        channels.insert(key, Arc::downgrade(&channel.connector));
        channel
    }
}

impl Channels {
    fn insert(&mut self, key: Key, connector: Weak<Connector>) {
        if self.by_address.len() >= self.full {
            self.by_address
                .retain(|_, connector| connector.strong_count() > 0);
            self.full = (self.by_address.len() * 2).max(64);
        }
        self.by_address.insert(key, connector);
    }
}

impl fmt::Debug for ChannelPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels = self.shared.channels.lock();
        let held = channels.by_address.values();
        f.debug_struct("ChannelPool")
            .field("config", &self.shared.config)
            .field(
                "channels",
                &held
                    .filter(|connector| connector.strong_count() > 0)
                    .count(),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::ChannelPool;

    #[tokio::test]
    async fn a_pool_forgets_channels_that_nobody_holds() {
        let pool = ChannelPool::default();
        let kept = pool.channel(&"tcp://127.0.0.1:1".parse().unwrap());
        for port in 2..=1000 {
            pool.channel(&format!("tcp://127.0.0.1:{port}").parse().unwrap());
        }
        assert!(pool.shared.channels.lock().by_address.len() <= 128);
        let again = pool.channel(&"tcp://127.0.0.1:1".parse().unwrap());
        assert!(again.shares_connection_with(&kept));
    }

    #[test]
    fn runtimes_do_not_share_connections() {
        let pool = ChannelPool::default();
        let address = "tcp://127.0.0.1:1".parse().unwrap();
        let channels: Vec<_> = (0..2)
            .map(|_| tokio::runtime::Runtime::new().unwrap())
            .map(|runtime| runtime.block_on(async { pool.channel(&address) }))
            .collect();
        assert!(!channels[0].shares_connection_with(&channels[1]));
    }
}
