//! Who is alive and where: instances of a service register, and those who call it watch.
//!
//! A [`Registry`] does two things. [`register`](Registry::register) announces one [`Instance`] for
//! as long as the returned [`Registration`] is held. [`watch`](Registry::watch) follows all
//! instances of one [`ServiceKey`]: the [`Watch`] has a [`Snapshot`] at once and is told of every
//! change. An address is a plain string; what it means is the business of those who connect to it.
//!
//! | registry | reach | [`open()`] form |
//! |---|---|---|
//! | [`Memory`] | one process | `memory:` |
//! | [`Static`] | a fixed list of addresses | `static:ADDRESS,ADDRESS` |
//! | [`File`] | the processes of one machine, over a folder | `file:DIR` |
//! | [`Several`] | those of several registries together | |
//! | `Dns` (feature `dns`) | what resolves a name | `dns://NAME:PORT`, `dns+srv://NAME` |
//! | `Etcd` (feature `etcd`) | a cluster, over etcd | `etcd://HOST:PORT,HOST:PORT` |
//! | `EtcdV2` (feature `etcd-v2`) | a fleet of Python doge, over etcd | `etcd-v2://HOST:PORT,HOST:PORT` |
//!
//! A `Bridge` (feature `etcd-v2`) shows the instances of one registry in another, and the other way round.
//!
//! ```
//! use doge_registry::{Instance, Memory, Registry, ServiceKey};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Memory::new();
//! let key = ServiceKey::new("hr.employee");
//! let mut watch = registry.watch(key.clone()).await?;
//! assert!(watch.snapshot().is_empty());
//!
//! let registration = registry
//!     .register(Instance::new(key, "tcp://127.0.0.1:4399").with_zone("a"))
//!     .await?;
//! let joined = watch.changed().await?;
//! assert_eq!(joined.iter().next().map(|instance| instance.address()), Some("tcp://127.0.0.1:4399"));
//!
//! registration.leave().await?;
//! assert!(watch.changed().await?.is_empty());
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "etcd-v2")]
mod bridge;
mod change;
#[cfg(feature = "dns")]
mod dns;
mod error;
#[cfg(feature = "etcd")]
mod etcd;
#[cfg(feature = "etcd-v2")]
mod etcd_v2;
mod failing;
mod file;
mod fixed;
mod instance;
mod key;
mod memory;
mod open;
mod publisher;
mod registration;
mod registry;
#[cfg(any(feature = "dns", feature = "etcd", feature = "etcd-v2"))]
mod remote;
mod several;
mod snapshot;
mod sources;
#[cfg(test)]
mod warnings;
mod watch;
mod work;

#[cfg(feature = "etcd-v2")]
pub use bridge::{Bridge, BridgeBuilder};
pub use change::Change;
#[cfg(feature = "dns")]
pub use dns::{Dns, DnsBuilder};
#[cfg(feature = "dns")]
pub use doge_base::Dialect;
pub use doge_base::Env;
pub use error::RegistryError;
#[cfg(feature = "etcd")]
pub use etcd::{Etcd, EtcdBuilder, EtcdTls};
#[cfg(feature = "etcd-v2")]
pub use etcd_v2::{EtcdV2, EtcdV2Builder};
pub use file::{File, FileBuilder};
pub use fixed::Static;
pub use futures_util::future::BoxFuture;
pub use instance::{Instance, Origin};
pub use key::ServiceKey;
pub use memory::Memory;
pub use open::{OpenError, open};
pub use publisher::{Hints, Publisher};
pub use registration::{Leave, Registration};
pub use registry::Registry;
#[cfg(any(feature = "etcd", feature = "etcd-v2"))]
pub use remote::hold::HoldBack;
pub use several::Several;
pub use snapshot::Snapshot;
pub use watch::{Watch, WatchClosed};
