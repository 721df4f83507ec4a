use std::{fmt, future::Future, pin::pin, sync::Arc};

use doge_registry::Registry;
use doge_rpc_core::{
    Status,
    call::{
        CallOptions, CancelReason, Peer, Request, Response, Route, Serve, ServiceError, handle,
    },
    observe::Observer,
    schema::{MethodSchema, ServiceSchema},
    transport::{AddressError, IntoAddress},
    wire,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;
use tower::{Service, ServiceExt as _, util::BoxCloneSyncService};

use crate::{
    Channel, Cluster, ClusterError,
    in_place::{InPlace, stop},
    late::{WaitedFor, late},
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
///     Ok(Response::from_result(wire::encode(&sum, Encoding::Map)?))
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
    Service(BoxCloneSyncService<Request, Response, Status>),
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
        Self::service(tower::service_fn(move |request: Request| {
            handle(service.clone(), request.with_peer(Peer::in_process()))
        }))
    }

    /// Calls a tower service, which may be layers around another client.
    pub fn service<S>(service: S) -> Self
    where
        S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        Self::from(Target::Service(BoxCloneSyncService::new(service)))
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
                let answer = match target {
                    Target::Channel(channel) => channel.call_at(&request, now).await,
                    Target::Cluster(cluster) => cluster.call_at(&request, now).await,
                    Target::Service(service) => service.oneshot(request.clone()).await,
                };
                call.end(&answer);
                answer
            }
        });
        Self {
            target: Target::Service(BoxCloneSyncService::new(watched)),
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
            response.decode()
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
        let body = untyped::encode(arguments)?;
        let route = Route::named(service, method)?;
        let response = self.send(route.clone(), body).await?;
        if response.is_application_error() {
            let status = match response.text() {
                Some(text) => Status::unknown(text.to_owned()),
                None => Status::unknown(format!("{service}/{method} returned an error of its own")),
            };
            let status = status.with_details(response.bytes().clone());
            return Err(status.received_from(&route));
        }
        response.decode()
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

    async fn send(&self, route: Route, body: bytes::Bytes) -> Result<Response, Status> {
        let now = Instant::now();
        let request = self.options.request(route, body, now);
        let answer = match &self.target {
            Target::Channel(channel) => channel.call_at(&request, now).await,
            Target::Cluster(cluster) => cluster.call_at(&request, now).await,
            Target::Service(service) => {
                let deadline = request.deadline().instant();
                let call = pin!(Some(service.clone().oneshot(request.clone())));
                let mut running = InPlace::new(call);
                match tokio::time::timeout_at(deadline, &mut running).await {
                    Ok(answer) => answer,
                    Err(_) => {
                        stop(running, CancelReason::Deadline);
                        Err(late(&request, None, WaitedFor::Answer, now))
                    }
                }
            }
        };
        if let Some(wanted) = self.options.wanted_reply_metadata() {
            wanted.set(match &answer {
                Ok(response) => response.metadata().clone(),
                Err(status) => status.metadata().clone(),
            });
        }
        answer.map_err(|status| status.received_from(request.route()))
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
            Target::Service(_) => debug.field("service", &format_args!("in process")),
        };
        debug.field("options", &self.options).finish()
    }
}
