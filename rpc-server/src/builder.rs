use std::{fmt, future::Future, pin::pin, sync::Arc, time::Duration};

use doge_base::Env;
use doge_registry::{Registration, Registry};
use doge_rpc_core::{
    call::{CallLayer, Layers, Request, Serve},
    connection::Limits,
    msgpack_rpc,
    observe::Observer,
    transport::{self, Address, Transport},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Advertise, ListenOn, Running, StartError, StopSignal,
    accept::Connections,
    connection,
    gate::Gate,
    router::{Added, Router},
    watch::Watch,
};

/// Where a server begins.
///
/// ```
/// use doge_rpc_core::call::Serve;
/// use doge_rpc_server::{Server, StartError};
///
/// /// `service` is what `#[service]` makes of an implementation, such as `HelloServer::new(Greeter)`.
/// async fn run(service: impl Serve) -> Result<(), StartError> {
///     Server::builder().add(service).serve("tcp://127.0.0.1:4399").await
/// }
/// ```
#[derive(Debug)]
pub struct Server;

impl Server {
    /// A server with no services, default limits, no registry.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// What to serve, and within which limits.
///
/// ```
/// use std::{sync::Arc, time::Duration};
///
/// use doge_registry::Registry;
/// use doge_rpc_core::call::Serve;
/// use doge_rpc_server::{Running, Server, StartError};
///
/// async fn start(service: impl Serve, registry: &Arc<dyn Registry>) -> Result<Running, StartError> {
///     let server = Server::builder().add(service).registry(registry);
///     let server = server.max_calls(1_000).grace(Duration::from_secs(5));
///     server.start("tcp://127.0.0.1:0").await
/// }
/// ```
pub struct Builder {
    services: Vec<Added>,
    layers: Layers,
    limits: Limits,
    msgpack_rpc: Option<msgpack_rpc::Options>,
    max_connections: usize,
    max_calls: usize,
    grace: Duration,
    linger: Duration,
    transport: Arc<dyn Transport>,
    env: Env,
    registries: Vec<(Arc<dyn Registry>, Advertise)>,
    watch: Watch,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            layers: Layers::default(),
            limits: Limits::default(),
            msgpack_rpc: Some(msgpack_rpc::Options::default()),
            max_connections: 10_000,
            max_calls: 10_000,
            grace: Duration::from_secs(20),
            linger: Duration::ZERO,
            transport: transport::sockets(),
            env: Env::system(),
            registries: Vec::new(),
            watch: Watch::default(),
        }
    }
}

impl Builder {
    /// Serves this as well.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "a builder that is added to is no sum"
    )]
    pub fn add<S: Serve>(mut self, service: S) -> Self {
        self.services.push(Added::new(service));
        self
    }

    /// Serves this as well, with a tower layer around it alone, inside the [layers](Self::layer) of all services. Several
    /// layers are one as a [`ServiceBuilder`](tower::ServiceBuilder).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use doge_rpc_core::call::Serve;
    /// use doge_rpc_server::{Builder, Server};
    /// use tower::{ServiceBuilder, timeout::TimeoutLayer};
    ///
    /// fn server(quick: impl Serve, slow: impl Serve) -> Builder {
    ///     let layers = ServiceBuilder::new().layer(TimeoutLayer::new(Duration::from_millis(50)));
    ///     Server::builder().add_with_layer(quick, layers).add(slow)
    /// }
    /// ```
    #[must_use]
    pub fn add_with_layer<S: Serve>(mut self, service: S, layer: impl CallLayer) -> Self {
        let mut layers = Layers::default();
        layers.push(layer);
        self.services.push(Added::layered(service, layers));
        self
    }

    /// Puts a tower layer around each service; the first one is outermost.
    ///
    /// A layer's error that is a [`Status`](doge_rpc_core::Status) is the status of the call; tower's `Overloaded`
    /// and `Elapsed` become `ResourceExhausted` and `DeadlineExceeded`, others `Unknown`. A call through layers
    /// costs a few allocations more.
    #[must_use]
    pub fn layer(mut self, layer: impl CallLayer) -> Self {
        self.layers.push(layer);
        self
    }

    /// Sets the limits of each connection.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Configures MessagePack-RPC clients, such as Python doge, on the same port. On with default options.
    ///
    /// ```
    /// use doge_rpc_core::msgpack_rpc::{MetaMap, Options};
    /// use doge_rpc_server::Server;
    ///
    /// // All clients are doge from its repository, which puts a map of metadata in front of the params.
    /// let options = Options { meta: MetaMap::Always, ..Options::default() };
    /// let server = Server::builder().msgpack_rpc(options);
    /// ```
    #[must_use]
    pub fn msgpack_rpc(mut self, options: msgpack_rpc::Options) -> Self {
        self.msgpack_rpc = Some(options);
        self
    }

    /// Refuses MessagePack-RPC clients, and peers that send no hello in time.
    #[must_use]
    pub fn without_msgpack_rpc(mut self) -> Self {
        self.msgpack_rpc = None;
        self
    }

    /// Limits the connections of the server. Further connections get an error and are closed. 10,000 by default.
    #[must_use]
    pub fn max_connections(mut self, most: usize) -> Self {
        self.max_connections = most;
        self
    }

    /// Limits the calls that run at once on the whole server. Further calls are refused as `ResourceExhausted`, with a
    /// pushback. 10,000 by default.
    #[must_use]
    pub fn max_calls(mut self, most: usize) -> Self {
        self.max_calls = most;
        self
    }

    /// Sets how long a drain lets calls finish. 20 s by default.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets how long a drain goes on to accept connections and calls after the server has left the registries. None by
    /// default: a client that has not heard yet that the server leaves is refused, and calls elsewhere.
    ///
    /// Where lists of instances are old for a while, set the time that takes: 1 to 3 s for etcd and for Kubernetes, whose
    /// endpoints change beside the signal to the process. Kubernetes has to wait longer than linger and grace together
    /// (`terminationGracePeriodSeconds`).
    #[must_use]
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// Sets what the addresses that the server listens at are bound with. The sockets of the system by default.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = transport;
        self
    }

    /// Sets where the server takes chance from: the ids of its instances. The system by default.
    #[must_use]
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// Adds an observer of connections, calls and refusals. All observers see all events.
    ///
    /// Each dispatched call is one [`CallStarted`](doge_rpc_core::observe::Event::CallStarted) and one `CallEnded`,
    /// however it ends; a refused call is only one `Refused`. The route of an unknown method has no
    /// [`schema`](doge_rpc_core::call::Route::schema): the peer made its names up, so never use them as labels of a
    /// metric.
    ///
    /// An observer runs on the task that serves the connection or the call, and blocks that task.
    ///
    /// ```
    /// use doge_rpc_core::observe::{Event, Observer};
    /// use doge_rpc_server::Server;
    ///
    /// #[derive(Debug)]
    /// struct Refusals;
    ///
    /// impl Observer for Refusals {
    ///     fn observe(&self, event: &Event<'_>) {
    ///         if let Event::Refused(call, reason) = event {
    ///             let method = call.route.schema().map_or("_OTHER", |method| method.name());
    ///             println!("{method}: {reason}");
    ///         }
    ///     }
    /// }
    ///
    /// let server = Server::builder().observer(Refusals);
    /// ```
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.watch.observers.push(Box::new(observer));
        self
    }

    /// Measures how long calls take, for [`MethodStats::latency`](crate::MethodStats::latency) and observers. That
    /// costs one reading of the clock per call. Off by default.
    #[must_use]
    pub fn timed(mut self, timed: bool) -> Self {
        self.watch.is_timed = timed;
        self
    }

    /// Sets the sampler, which decides which calls get a span if spans of the target `doge::call` are collected.
    /// Without a sampler every call gets a span.
    ///
    /// The sampler runs before the span is created, since a dropped span costs nearly as much as a kept span.
    ///
    /// ```
    /// use doge_rpc_server::Server;
    ///
    /// // Only calls that are traced.
    /// let server = Server::builder().sampler(|request| request.metadata().get("traceparent").is_some());
    /// ```
    #[must_use]
    pub fn sampler(mut self, sampler: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        self.watch.sampler = Some(Box::new(sampler));
        self
    }

    /// Registers each service here once the server listens, and leaves before it stops.
    #[must_use]
    pub fn registry(self, registry: &Arc<dyn Registry>) -> Self {
        self.registry_as(registry, Advertise::new())
    }

    /// Registers each service here, with what clients choose instances by.
    #[must_use]
    pub fn registry_as(mut self, registry: &Arc<dyn Registry>, advertise: Advertise) -> Self {
        self.registries.push((Arc::clone(registry), advertise));
        self
    }

    /// Listens, and then registers. It listens at an address, on a socket that is bound already, or on several
    /// ([`ListenOn`]). Cancel safe: a dropped start stops listening and leaves the registries.
    ///
    /// # Errors
    ///
    /// A [`StartError`]; nothing is left behind then.
    pub async fn start(self, on: impl ListenOn) -> Result<Running, StartError> {
        let listeners = on.listen(&*self.transport).await?;
        let addresses: Arc<[Address]> = listeners.iter().map(|it| it.address().clone()).collect();
        let Some(address) = addresses.first().cloned() else {
            return Err(StartError::NowhereToListen);
        };
        let schemas: Vec<_> = self.services.iter().map(Added::schema).collect();
        let options = self.msgpack_rpc.as_ref();
        let default = options.and_then(|options| options.default_service.as_deref());
        let router = Router::new(self.services, &self.layers, default)?;
        let is_native_only = |service| options.is_none() || !router.is_default(service);
        let schemas: Vec<_> = schemas
            .into_iter()
            .map(|schema| (schema, is_native_only(schema.name())))
            .collect();
        let service = connection::Service {
            router,
            limits: self.limits,
            msgpack_rpc: self.msgpack_rpc,
            calls: Gate::new(self.max_calls),
            watch: self.watch,
        };
        let connections = Arc::new(Connections::new(service, self.max_connections));
        let stop = CancellationToken::new();
        let accept =
            |listener| tokio::spawn(Arc::clone(&connections).accept(listener, stop.clone()));
        let accepting = listeners.into_iter().map(accept).collect();
        let mut running = Running {
            addresses,
            connections,
            registrations: Vec::new(),
            stop,
            accepting,
            linger: self.linger,
            grace: self.grace,
        };
        for (registry, advertise) in &self.registries {
            warn_if_nothing_is_registered(registry, &address);
            for &(schema, native_only) in &schemas {
                let instance = advertise.instance(schema, &address, native_only, &self.env)?;
                let registration = registry.register(instance).await;
                let registration: Registration =
                    registration.map_err(|source| StartError::Register {
                        service: schema.name(),
                        source,
                    })?;
                running.registrations.push(registration);
            }
        }
        let services: Vec<_> = schemas.iter().map(|(schema, _)| schema.name()).collect();
        let at = running.addresses_text();
        tracing::info!(addresses = at, services = services.join(", "), "serving");
        if services.is_empty() {
            tracing::warn!(
                addresses = at,
                "no service was added, so every call will be refused: add services with `Builder::add`"
            );
        }
        Ok(running)
    }

    /// Listens, registers, and runs until the process is asked to stop (SIGTERM or Ctrl-C); then drains, or ends at
    /// once when it is asked once more. SIGHUP neither ends nor drains the process.
    ///
    /// A process that has more to do in the end starts with a [`StopSignal`] and [`Running::until_signal`]; a process that
    /// minds its signals itself uses [`serve_with_shutdown`](Self::serve_with_shutdown).
    ///
    /// Dropping the future ends the server at once, with all that runs.
    ///
    /// # Errors
    ///
    /// A [`StartError`].
    pub async fn serve(self, on: impl ListenOn) -> Result<(), StartError> {
        let mut stop = StopSignal::listen().map_err(StartError::Signal)?;
        let running = tokio::select! {
            biased;
            () = stop.received() => return Ok(()),
            running = self.start(on) => running?,
        };
        // Calls that the drain did not wait for are in the log, as those that outlive the grace time are.
        let _ = running.until_signal(&mut stop).await;
        Ok(())
    }

    /// Listens, registers, and runs until `shutdown` is done; then drains. Signals of the process are left alone.
    ///
    /// ```
    /// use doge_rpc_server::{Server, StartError};
    /// use tokio::sync::oneshot;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), StartError> {
    /// let (stop, stopped) = oneshot::channel::<()>();
    /// let serving = Server::builder().serve_with_shutdown("tcp://127.0.0.1:0", async {
    ///     let _ = stopped.await;
    /// });
    /// stop.send(()).ok();
    /// serving.await
    /// # }
    /// ```
    ///
    /// Dropping the future ends the server at once, with all that runs.
    ///
    /// # Errors
    ///
    /// A [`StartError`].
    pub async fn serve_with_shutdown(
        self,
        on: impl ListenOn,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), StartError> {
        let mut shutdown = pin!(shutdown);
        let running = tokio::select! {
            biased;
            () = &mut shutdown => return Ok(()),
            running = self.start(on) => running?,
        };
        shutdown.await;
        running.drain().await;
        Ok(())
    }
}

/// A server that nobody can find looks just like a server that is found.
fn warn_if_nothing_is_registered(registry: &Arc<dyn Registry>, address: &Address) {
    if !registry.registers() {
        tracing::warn!(
            ?registry, %address,
            "the registry registers nothing: it only lists what was written elsewhere, as static: and dns: do; see to it \
             that the address of this server is in that list, or give the server another registry"
        );
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: Vec<_> = self
            .services
            .iter()
            .map(|added| added.schema().name())
            .collect();
        f.debug_struct("Builder")
            .field("services", &services)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
