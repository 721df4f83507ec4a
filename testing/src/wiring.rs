use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use doge_registry::{Instance, Memory, Registration, Registry, ServiceKey};
use doge_rpc_client::{ChannelPool, Client, Cluster};
use doge_rpc_core::{
    call::{Request, Response, Serve},
    observe::{Event, Observer, Side},
    transport::Address,
};
use doge_rpc_server::{Running, Server};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// A way to reach a service. What a caller sees of a service is the same in each: a test body that takes
/// `impl SomeService` runs over the implementation itself and over a client in every wiring.
///
/// ```
/// use doge_testing::Wiring;
///
/// let names = Wiring::ALL.map(|wiring| wiring.to_string());
/// assert_eq!(names, ["local", "memory", "tcp", "a cluster with a kill"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wiring {
    /// In process, through the codec.
    Local,
    /// A server and a client over a pipe inside the process.
    Memory,
    /// A server and a client over TCP.
    Tcp,
    /// Three servers over TCP that a client finds in a registry. After the first call, the server that answered it is
    /// killed: its connections close without a goodbye, and it stays registered.
    ClusterWithAKill,
}

impl Wiring {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Local, Self::Memory, Self::Tcp, Self::ClusterWithAKill];

    /// What keeps the services of a test reachable in this way until it is dropped.
    #[must_use]
    pub fn wires(self) -> Wires {
        Wires {
            wiring: self,
            fleets: Vec::new(),
        }
    }
}

impl fmt::Display for Wiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "local",
            Self::Memory => "memory",
            Self::Tcp => "tcp",
            Self::ClusterWithAKill => "a cluster with a kill",
        })
    }
}

/// The servers of a test, in one [`Wiring`].
#[derive(Debug)]
pub struct Wires {
    wiring: Wiring,
    fleets: Vec<Arc<Fleet>>,
}

/// The servers of one service.
#[derive(Debug, Default)]
struct Fleet {
    servers: Mutex<Vec<Running>>,
    registrations: Mutex<Vec<Registration>>,
    /// Where the last call went.
    picked: Mutex<Option<Address>>,
    killed: Mutex<Option<Address>>,
    /// Told when a connection of the client has closed.
    closed: Notify,
}

/// How many servers a cluster has.
const SERVERS: usize = 3;

/// In which time a client notices that a server in the same process was killed.
const NOTICED: Duration = Duration::from_secs(10);

impl Wires {
    /// A client of a service, as `#[service]` makes it of an implementation. All servers of a cluster share the
    /// implementation.
    ///
    /// The first call of a cluster returns once its server is dead; calls that are made at once with it may fail with it.
    ///
    /// # Panics
    ///
    /// When no server can be started here.
    pub async fn reach<S: Serve>(&mut self, service: S) -> Client {
        match self.wiring {
            Wiring::Local => Client::local(service),
            Wiring::Memory => {
                static NUMBER: AtomicU64 = AtomicU64::new(0);
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                self.serve(service, &format!("memory://wiring-{number}"))
                    .await
            }
            Wiring::Tcp => self.serve(service, "tcp://127.0.0.1:0").await,
            Wiring::ClusterWithAKill => self.cluster(service).await,
        }
    }

    async fn serve<S: Serve>(&mut self, service: S, address: &str) -> Client {
        let server = start(service, address).await;
        let client = Client::connect(server.address());
        let fleet = Fleet::default();
        fleet.servers.lock().push(server);
        self.fleets.push(Arc::new(fleet));
        client.unwrap_or_else(|error| panic!("a server has an address: {error}"))
    }

    async fn cluster<S: Serve>(&mut self, service: S) -> Client {
        let schema = service.schema();
        let registry: Arc<dyn Registry> = Arc::new(Memory::new());
        let fleet = Arc::new(Fleet::default());
        for _ in 0..SERVERS {
            let server = start(service.clone(), "tcp://127.0.0.1:0").await;
            let key = ServiceKey::new(schema.name()).with_version(schema.version());
            let instance = Instance::new(key, server.address().to_string());
            let registration = registry.register(instance).await;
            let registration = registration.unwrap_or_else(|error| panic!("{error}"));
            fleet.registrations.lock().push(registration);
            fleet.servers.lock().push(server);
        }
        let layer = {
            let fleet = Arc::clone(&fleet);
            tower::layer::layer_fn(move |inner| KillAfterFirst {
                fleet: Arc::clone(&fleet),
                inner,
            })
        };
        let cluster = Cluster::of(schema)
            .registry(&registry)
            .pool(&ChannelPool::default())
            .observer(Watching(Arc::clone(&fleet)))
            .call_layer(layer);
        self.fleets.push(fleet);
        let cluster = cluster.follow().await;
        Client::from(cluster.unwrap_or_else(|error| panic!("{error}")))
    }
}

async fn start<S: Serve>(service: S, address: &str) -> Running {
    let started = Server::builder().add(service).start(address).await;
    started.unwrap_or_else(|error| panic!("no server at {address}: {error}"))
}

impl Fleet {
    /// Kills the server that answered last, unless one was killed before, and waits until the client has noticed.
    async fn kill_once(&self) {
        let Some(server) = self.victim() else {
            return;
        };
        let closed = self.closed.notified();
        drop(server);
        let noticed = tokio::time::timeout(NOTICED, closed).await;
        assert!(
            noticed.is_ok(),
            "the client has not noticed that a server was killed"
        );
    }

    /// The server that answered last, if none was taken before.
    fn victim(&self) -> Option<Running> {
        let address = self.picked.lock().clone()?;
        let mut killed = self.killed.lock();
        if killed.is_some() {
            return None;
        }
        let mut servers = self.servers.lock();
        let place = servers.iter().position(|it| *it.address() == address)?;
        *killed = Some(address);
        Some(servers.remove(place))
    }
}

/// Knows where calls go, and when the connection to the server that was killed has closed.
#[derive(Debug)]
struct Watching(Arc<Fleet>);

impl Observer for Watching {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::EndpointPicked(address) => *self.0.picked.lock() = Some((*address).clone()),
            Event::ConnectionClosed(Side::Client, address, _)
                if self.0.killed.lock().as_ref() == Some(*address) =>
            {
                self.0.closed.notify_one();
            }
            _ => {}
        }
    }
}

/// Kills a server before the first call returns.
#[derive(Clone, Debug)]
struct KillAfterFirst<S> {
    fleet: Arc<Fleet>,
    inner: S,
}

impl<S> tower::Service<Request> for KillAfterFirst<S>
where
    S: tower::Service<Request, Response = Response, Error: Send, Future: Send + 'static>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response, S::Error>>;

    fn poll_ready(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (fleet, calling) = (Arc::clone(&self.fleet), self.inner.call(request));
        Box::pin(async move {
            let answer = calling.await;
            fleet.kill_once().await;
            answer
        })
    }
}

/// Makes a test of a body for each way to reach a service: `direct`, over the implementation itself, and one for each
/// [`Wiring`](crate::Wiring).
///
/// The body takes the service by its trait and is the same in all. `implementation` is evaluated anew for each test and may
/// await.
///
/// ```ignore
/// async fn employees_are_hired_once(employees: impl EmployeeService) {
///     let ada = employees.hire("Ada".into()).await.unwrap();
///     assert_eq!(employees.hire("Ada".into()).await, Ok(ada));
/// }
///
/// doge_rpc::testing::in_every_wiring! {
///     mod hiring {
///         test: employees_are_hired_once,
///         implementation: Employees::default(),
///         server: EmployeeServer,
///         client: EmployeeClient,
///     }
/// }
/// ```
#[macro_export]
macro_rules! in_every_wiring {
    (
        mod $module:ident {
            test: $test:path,
            implementation: $implementation:expr,
            server: $server:ident,
            client: $client:ident $(,)?
        }
    ) => {
        mod $module {
            #[allow(unused_imports, reason = "the implementation may be of here alone")]
            use super::*;

            fn run(test: impl ::core::future::Future<Output = ()>) {
                $crate::run_real(test);
            }

            async fn through(wiring: $crate::Wiring) {
                let mut wires = wiring.wires();
                let client = wires.reach($server::new($implementation)).await;
                $test($client::new(client)).await;
            }

            #[test]
            fn direct() {
                run(async { $test($implementation).await });
            }

            #[test]
            fn local() {
                run(through($crate::Wiring::Local));
            }

            #[test]
            fn memory() {
                run(through($crate::Wiring::Memory));
            }

            #[test]
            fn tcp() {
                run(through($crate::Wiring::Tcp));
            }

            #[test]
            fn a_cluster_with_a_kill() {
                run(through($crate::Wiring::ClusterWithAKill));
            }
        }
    };
}

/// Runs a test on a runtime of its own, in real time.
#[doc(hidden)]
pub fn run_real(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.unwrap_or_else(|error| panic!("there is no runtime to test on: {error}"));
    runtime.block_on(test);
}
