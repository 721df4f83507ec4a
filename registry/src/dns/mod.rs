//! The registry in DNS: [`follower`] looks a name up again and again, [`look`] is one look with all its questions,
//! [`resolver`] asks the name servers.

mod builder;
mod candidates;
mod complaints;
mod failure;
mod follower;
mod host;
mod list;
mod look;
mod resolver;
mod routes;
mod schedule;
mod settings;
mod srv;
mod template;
mod url;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

pub use self::builder::DnsBuilder;
use self::follower::Follower;
use self::settings::{Records, Settings};
pub(crate) use self::url::open;
use crate::remote::following;
use crate::sources::Sources;
use crate::{Instance, Registration, Registry, RegistryError, ServiceKey, Watch};

/// The registry in DNS: each address that a name has is an instance.
///
/// [`Dns::addresses`] takes the A and AAAA records of a name, with one port for all. [`Dns::srv`] takes the SRV records of
/// a name, which say ports and weights. An instance is `tcp://IP:PORT`, or `doge://` or `msgpack-rpc://` by
/// [`dialect`](DnsBuilder::dialect), with the address as its id.
///
/// **Names.** A name is followed for all services unless it holds a placeholder:
///
/// | placeholder | for the service `hr.employee`, group `default`, version `1.0` |
/// |---|---|
/// | `{service}` | `hr-employee`: one label, with hyphens for dots and underscores, as Kubernetes names a Service |
/// | `{service.labels}` | `hr.employee` |
/// | `{service.reversed}` | `employee.hr`: as the Service `employee` in the namespace `hr` of Kubernetes |
/// | `{group}`, `{version}` | `default`, `1-0`: one label each |
///
/// A name without a dot at its end is completed by the search list of the system as
/// [resolv.conf(5)](https://man7.org/linux/man-pages/man5/resolv.conf.5.html) says (`ndots`, `search`), until a name has
/// records; from then on only that name is asked. `/etc/hosts` is not read.
///
/// **Looks.** The name is looked up again when the shortest time to live of the records has passed: not sooner than after
/// 5 s, not later than after 5 min ([`refresh`](DnsBuilder::refresh)), and up to a tenth later at random. After a failure
/// the pauses grow from the shortest time to 30 s. A [hint](Watch::refresh), as a cluster gives while it cannot connect,
/// brings the next look forward to the shortest time after the last one.
///
/// **An answer** with records replaces the list. **Nothing else removes an instance**: while the name does not exist, has
/// no records, or the servers fail or are silent, the last list stays, and a warning says so at once and every 5 min. A
/// name server that answers for one of A and AAAA only changes only those addresses. So a service that is scaled to nothing
/// stays in the list until its name has other records.
///
/// **The first look** of a watch fails when the name servers cannot be asked. A name that does not exist, or has no records,
/// is a service without instances yet.
///
/// **Bounds.** Of more than 1,000 instances the first 1,000 in the order of their addresses are listed, with a warning.
/// IPv6 addresses that this machine has no route to are left out.
///
/// **Registering** takes any instance and announces nothing, so that a server needs no special case; it is
/// [known](Registry::registers) not to register.
///
/// Clones are handles to the same registry. Its work runs on the tokio runtime it is called from, which needs its I/O
/// driver.
///
/// ```no_run
/// use doge_registry::{Dns, Registry, ServiceKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The pods behind the headless Service `hr-employee` in the namespace `hr`.
/// let registry = Dns::addresses("{service}.hr.svc.cluster.local.", 4399).build()?;
/// let watch = registry.watch(ServiceKey::new("hr.employee")).await?;
/// for instance in &watch.snapshot() {
///     println!("{}", instance.address());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Dns {
    settings: Arc<Settings>,
    sources: Arc<Sources>,
}

impl Dns {
    /// The addresses of a name, each with this port: `{service}.hr.svc.cluster.local.` and 4399, say.
    pub fn addresses(name: impl Into<String>, port: u16) -> DnsBuilder {
        DnsBuilder::new(name.into(), Records::Addresses { port })
    }

    /// What the SRV records of a name say: `_doge._tcp.{service}.hr.svc.cluster.local.`, say.
    ///
    /// Of the priorities only the lowest that has addresses counts; a priority whose targets cannot be looked up is not
    /// passed over. Weights are put in relation to their mean, which is weight 100; the weight of a target with several
    /// addresses is shared out among them. SRV weight 0 is weight 1, the smallest that takes calls
    /// ([RFC 2782](https://www.rfc-editor.org/rfc/rfc2782): "a very small chance"), or 100 where all weights are 0.
    pub fn srv(name: impl Into<String>) -> DnsBuilder {
        DnsBuilder::new(name.into(), Records::Srv)
    }

    fn new(settings: Settings) -> Self {
        Self {
            settings: Arc::new(settings),
            sources: Arc::default(),
        }
    }
}

impl Registry for Dns {
    /// Takes the instance and announces nothing, which is logged.
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        Box::pin(async move {
            instance.key().validate()?;
            tracing::info!(
                registry = %self.settings, service = %instance.key(), address = instance.address(),
                "DNS registers nothing: the address has to be among the records of the name by other means"
            );
            Ok(Registration::unlisted(instance))
        })
    }

    /// Joins the looks at the name of this service, or looks for the first time.
    ///
    /// # Errors
    ///
    /// [`RegistryError::InvalidSetting`] when the key makes no name of DNS, such as a label of more than 63 characters;
    /// [`RegistryError::Remote`] when the name servers cannot be asked, or fail.
    fn watch(&self, service: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        Box::pin(async move {
            service.validate()?;
            Handle::try_current().map_err(|_| RegistryError::NoRuntime)?;
            let start = Follower::start(Arc::clone(&self.settings), service.clone());
            following::watch(&self.sources, &service, start).await
        })
    }

    /// False: what DNS lists is written elsewhere.
    fn registers(&self) -> bool {
        false
    }
}

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dns({})", self.settings)
    }
}
