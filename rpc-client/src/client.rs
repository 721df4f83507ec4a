use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
};

use doge_registry::Registry;
use doge_rpc_core::{
    Status,
    call::{
        BoxedService, CallLayer, CallOptions, Layers, Request, Response, Route, Serve,
        ServiceError, guard, handle,
    },
    observe::Observer,
    schema::{MethodSchema, ServiceSchema},
    transport::{AddressError, IntoAddress},
    wire,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;
use tower::{BoxError, Service, ServiceExt as _};

use crate::{
    Channel, Cluster, ClusterError,
    in_place::{InPlace, until_deadline},
    late::{WaitedFor, expired, late},
    untyped::{self, Untyped},
    watch::{Call, Observers, Progress, Watch},
};

/// What a generated client holds: where its calls go, and what they have in common. Cheap to clone.
///
/// ```
/// use doge_rpc_client::Client;
/// use doge_rpc_core::{
///     Status,
///     call::{Request, Response},
///     schema::Encoding,
///     wire,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Status> {
/// // A tower service stands in for a server; that would be `Client::connect("tcp://127.0.0.1:4399")`.
/// let client = Client::service(tower::service_fn(|request: Request| async move {
///     let mut arguments = request.arguments()?;
///     let sum = arguments.take::<u32>("a")? + arguments.take::<u32>("b")?;
///     Ok::<_, Status>(Response::from_result(wire::encode(&sum, Encoding::Map)?))
/// }));
/// let sum: u32 = client.call_by_name("calculator", "add", &(1, 2)).await?;
/// assert_eq!(sum, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    target: Target,
    options: CallOptions,
}

#[derive(Clone)]
enum Target {
    Channel(Channel),
    Cluster(Cluster),
    /// Its calls end by their deadline.
    Service(BoxedService),
    /// Another target that somebody watches, from the begin of each call to its end.
    Observed(BoxedService),
}

impl Client {
    /// Calls one address, connecting with the first call.
    ///
    /// # Errors
    ///
    /// When a text is no address.
    pub fn connect(address: impl IntoAddress) -> Result<Self, AddressError> {
        Ok(Channel::new(address.into_address()?).into())
    }

    /// Calls the instances that a registry has of a service, in its version and the group `default`; for another
    /// group, or other ways to call, make a [`Cluster`]. Cancel safe: a dropped attempt follows nothing.
    ///
    /// # Errors
    ///
    /// When the registry cannot be watched.
    pub async fn follow(
        registry: &Arc<dyn Registry>,
        schema: &ServiceSchema,
    ) -> Result<Self, ClusterError> {
        let cluster = Cluster::of(schema).registry(registry).follow().await?;
        Ok(cluster.into())
    }

    /// Calls a service of this process through the codec, without a socket.
    pub fn local<S: Serve>(service: S) -> Self {
        let service = tower::service_fn(move |request| handle(service.clone(), request));
        Self::from(Target::Service(BoxedService::new(
            service.map_err(BoxError::from),
        )))
    }

    /// Calls a tower service: layers around another client, or around a service of this process, whose handler then sees
    /// what the layers put into the request. An error that is a [`Status`] is the status of the call; tower's own errors are
    /// as [`Layers::call`] has them.
    pub fn service<S>(service: S) -> Self
    where
        S: Service<Request, Response = Response> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
    {
        let service =
            tower::service_fn(move |request| call_until_deadline(service.clone(), request));
        Self::from(Target::Service(BoxedService::new(
            service.map_err(BoxError::from),
        )))
    }

    /// The same, with options of its own; those that `options` leaves open stay.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        Self {
            target: self.target.clone(),
            options: self.options.overridden_by(options),
        }
    }

    /// The same, watched by this observer: it sees the calls that are made through this client, and nothing of attempts,
    /// connections and endpoints. For calls within this process, which nothing else shows; a
    /// [`Cluster`](crate::ClusterBuilder::observer) and a [`Channel`](crate::ChannelConfig::observers) have observers of
    /// their own, which see more. A call costs a few allocations more.
    #[must_use]
    pub fn observed_by(&self, observer: impl Observer) -> Self {
        let observers = Observers::new(vec![Arc::new(observer)]);
        let watch = Arc::new(Watch::new(observers, None, false));
        let target = self.target.clone();
        let watched = tower::service_fn(move |request: Request| {
            let (watch, target) = (Arc::clone(&watch), target.clone());
            async move {
                let (now, progress) = (Instant::now(), Progress::default());
                let call = Call::begin(&watch, &request, None, &progress, now);
                let answer = target.call(&request, now).await;
                call.end(&answer);
                answer
            }
        });
        let service = watched.map_err(|status: Status| BoxError::from(status));
        let target = Target::Observed(BoxedService::new(service));
        Self {
            target,
            options: self.options.clone(),
        }
    }

    /// The same, with a tower layer around each call, whatever it goes to: an address, a cluster or a service of this
    /// process. A layer that is added later is outside. A call costs a few allocations more.
    ///
    /// A layer's error that is a [`Status`] is the status of the call; tower's own errors are as [`Layers::call`] has them.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use doge_rpc_client::Client;
    /// use tower::timeout::TimeoutLayer;
    ///
    /// let client = Client::connect("tcp://127.0.0.1:4399")?;
    /// let client = client.layer(TimeoutLayer::new(Duration::from_millis(200)));
    /// # Ok::<(), doge_rpc_core::transport::AddressError>(())
    /// ```
    #[must_use]
    pub fn layer(&self, layer: impl CallLayer) -> Self {
        let target = self.target.clone();
        let below = tower::service_fn(move |request: Request| {
            let target = target.clone();
            async move { target.call(&request, Instant::now()).await }
        });
        let mut layers = Layers::default();
        layers.push(layer);
        let layered = layers.around(below);
        let layered =
            tower::service_fn(move |request| call_until_deadline(layered.clone(), request));
        Self {
            target: Target::Service(BoxedService::new(layered.map_err(BoxError::from))),
            options: self.options.clone(),
        }
    }

    /// Calls a method with a tuple of arguments; `&[(); 0]` for none. The arguments are written before this
    /// returns. Dropping the future gives the call up on both ends.
    ///
    /// # Errors
    ///
    /// The application's error, or a [`Status`] as one.
    pub fn call<A, T, E>(
        &self,
        method: &'static MethodSchema,
        arguments: &A,
    ) -> impl Future<Output = Result<T, E>> + Send + use<'_, A, T, E>
    where
        A: Serialize + ?Sized,
        T: DeserializeOwned + Send,
        E: ServiceError,
    {
        let body = wire::encode(arguments, method.encoding()).map_err(Status::from);
        async move {
            let response = self.send(Route::from(method), body?).await?;
            response.decode(&Route::from(method))
        }
    }

    /// Calls a method that is known by name only, with a tuple of arguments; `()` for none. Dropping the future gives
    /// the call up on both ends.
    ///
    /// # Errors
    ///
    /// The status of the call. An error of the application is `Unknown`: with its text as the message where errors are
    /// text, as in MessagePack-RPC, and with its value as details.
    pub async fn call_by_name<A, T>(
        &self,
        service: &str,
        method: &str,
        arguments: &A,
    ) -> Result<T, Status>
    where
        A: Serialize + ?Sized,
        T: DeserializeOwned,
    {
        self.call_by_route(Route::named(service, method)?, arguments)
            .await
    }

    /// Calls the method of a route with a tuple of arguments; `()` for none.
    pub(crate) async fn call_by_route<A, T>(&self, route: Route, arguments: &A) -> Result<T, Status>
    where
        A: Serialize + ?Sized,
        T: DeserializeOwned,
    {
        let body = untyped::encode(arguments)?;
        let response = self.send(route.clone(), body).await?;
        if response.is_application_error() {
            let status = match response.text() {
                Some(text) => Status::unknown(text.to_owned()),
                None => Status::unknown(format!("{route} returned an error of its own")),
            };
            let status = status.with_details(response.error_value().clone());
            return Err(status.received_from(&route));
        }
        response.decode(&route)
    }

    /// Calls the methods of a service by their names, without its trait.
    ///
    /// ```no_run
    /// # use doge_rpc_client::Client;
    /// # async fn sum() -> Result<(), Box<dyn std::error::Error>> {
    /// let calculator = Client::connect("doge://127.0.0.1:4399")?.untyped("calculator");
    /// let sum: u32 = calculator.call("sum", (1, 2)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn untyped(&self, service: impl Into<String>) -> Untyped {
        Untyped::new(self.clone(), service.into())
    }

    /// Calls the methods of a service whose schema is learnt at run time, by reflection or from a file: its calls are
    /// retried, hedged, hashed, timed out and limited as the schema says, like those of a generated client.
    ///
    /// ```no_run
    /// use std::sync::Arc;
    ///
    /// use doge_rpc_client::Client;
    /// use doge_rpc_core::schema::{MethodSchema, ServiceSchema};
    ///
    /// # async fn sum() -> Result<(), Box<dyn std::error::Error>> {
    /// let sum = MethodSchema::builder("sum").idempotent().retries(1);
    /// let schema = ServiceSchema::builder("calculator", "1").method(sum).build()?;
    ///
    /// let client = Client::connect("doge://127.0.0.1:4399")?;
    /// let calculator = client.untyped_with_schema(&Arc::new(schema));
    /// let sum: u32 = calculator.call("sum", (1, 2)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn untyped_with_schema(&self, schema: &Arc<ServiceSchema>) -> Untyped {
        Untyped::with_schema(self.clone(), schema)
    }

    async fn send(&self, route: Route, body: bytes::Bytes) -> Result<Response, Status> {
        let now = Instant::now();
        let request = self.options.request(route, body, now);
        let answer = match &self.target {
            Target::Channel(channel) => {
                received(channel.call_at(&request, now).await, request.route())
            }
            Target::Cluster(cluster) => {
                received(cluster.call_at(&request, now).await, request.route())
            }
            Target::Service(_) if request.deadline().instant() <= now => {
                received(Err(expired(&request, None)), request.route())
            }
            Target::Service(service) | Target::Observed(service) => {
                let route = request.route().clone();
                received(Layers::call(service.clone(), request).await, &route)
            }
        };
        if let Some(wanted) = self.options.wanted_reply_metadata() {
            wanted.set(match &answer {
                Ok(response) => response.metadata().clone(),
                Err(status) => status.metadata().clone(),
            });
        }
        answer
    }
}

impl Target {
    /// Makes a call that is not on the usual course: [`Client::send`] has the same match in its own future, since a future
    /// around the three costs each call 60 to 200 instructions.
    async fn call(&self, request: &Request, now: Instant) -> Result<Response, Status> {
        match self {
            Self::Channel(channel) => channel.call_at(request, now).await,
            Self::Cluster(cluster) => cluster.call_at(request, now).await,
            Self::Service(_) if request.deadline().instant() <= now => Err(expired(request, None)),
            Self::Service(service) | Self::Observed(service) => {
                Layers::call(service.clone(), request.clone()).await
            }
        }
    }
}

impl From<Target> for Client {
    fn from(target: Target) -> Self {
        Self {
            target,
            options: CallOptions::new(),
        }
    }
}

impl From<Channel> for Client {
    fn from(channel: Channel) -> Self {
        Self::from(Target::Channel(channel))
    }
}

impl From<Cluster> for Client {
    fn from(cluster: Cluster) -> Self {
        Self::from(Target::Cluster(cluster))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Client");
        match &self.target {
            Target::Channel(channel) => debug.field("channel", channel.address()),
            Target::Cluster(cluster) => debug.field("cluster", cluster),
            Target::Service(_) | Target::Observed(_) => {
                debug.field("service", &format_args!("in process"))
            }
        };
        debug.field("options", &self.options).finish()
    }
}

/// Ends the call at its deadline, which the service may not do; a panic of a layer is `Internal`, as it is on a server.
async fn call_until_deadline<S>(service: S, request: Request) -> Result<Response, Status>
where
    S: Service<Request, Response = Response>,
    S::Error: Into<BoxError>,
{
    let (now, head) = (Instant::now(), request.clone());
    let call = pin!(Some(async {
        let answer = async {
            let answer = service.oneshot(request).await;
            answer.map_err(|error| Layers::status(error.into()))
        };
        let mut answer = pin!(answer);
        poll_fn(|task| guard(head.route(), head.peer(), answer.as_mut(), task)).await
    }));
    let ended = until_deadline(head.deadline().instant(), InPlace::new(call)).await;
    ended.unwrap_or_else(|| Err(late(&head, None, WaitedFor::Answer, now)))
}

/// A status remembers the method that it came from.
fn received(answer: Result<Response, Status>, route: &Route) -> Result<Response, Status> {
    match answer {
        Err(status) => Err(status.received_from(route)),
        // Returned whole, so that it is not moved part by part.
        answer => answer,
    }
}
