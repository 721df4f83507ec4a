use std::fmt;

use tower::{
    BoxError, Layer, Service, ServiceExt as _, load_shed::error::Overloaded,
    timeout::error::Elapsed, util::BoxCloneSyncService,
};

use super::{Request, Response};
use crate::Status;

/// The service type that a tower layer wraps: the same on both ends and at every place for layers.
pub type BoxedService = BoxCloneSyncService<Request, Response, BoxError>;

/// The layers that [`Layers::push`] takes: any tower layer whose service is `Clone` and takes [`Request`]s. tower's own
/// layers for timeouts, concurrency limits and load shedding fit; its rate limit needs a buffer around it.
pub trait CallLayer: Send + Sync + 'static {
    /// Wraps a service.
    fn wrap(&self, service: BoxedService) -> BoxedService;
}

impl<L> CallLayer for L
where
    L: Layer<BoxedService> + Send + Sync + 'static,
    L::Service: Service<Request, Response = Response> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request>>::Error: Into<BoxError>,
    <L::Service as Service<Request>>::Future: Send,
{
    fn wrap(&self, service: BoxedService) -> BoxedService {
        BoxCloneSyncService::new(self.layer(service).map_err(Into::into))
    }
}

/// tower layers in the order they were added, the first one outermost.
#[derive(Default)]
pub struct Layers(Vec<Box<dyn CallLayer>>);

impl Layers {
    /// Adds a layer inside the existing ones.
    pub fn push(&mut self, layer: impl CallLayer) {
        self.0.push(Box::new(layer));
    }

    /// Whether there are no layers.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Wraps a service in the layers.
    pub fn around<S>(&self, service: S) -> BoxedService
    where
        S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        let service = BoxCloneSyncService::new(service.map_err(BoxError::from));
        let outwards = self.0.iter().rev();
        outwards.fold(service, |service, layer| layer.wrap(service))
    }

    /// Makes a call through the layers.
    ///
    /// # Errors
    ///
    /// A layer's error that is a [`Status`] is the status of the call; tower's `Overloaded` and `Elapsed` become
    /// `ResourceExhausted` and `DeadlineExceeded`, others `Unknown`.
    pub async fn call(service: BoxedService, request: Request) -> Result<Response, Status> {
        service.oneshot(request).await.map_err(Self::status)
    }

    /// The status for an error of a layer, as [`call`](Self::call) says.
    pub fn status(error: BoxError) -> Status {
        match error.downcast::<Status>() {
            Ok(status) => *status,
            Err(error) if error.is::<Overloaded>() => {
                Status::resource_exhausted("a load shed layer refused the call").rejected()
            }
            Err(error) if error.is::<Elapsed>() => {
                Status::deadline_exceeded("a timeout layer stopped the call")
            }
            Err(error) => Status::unknown(error.to_string()),
        }
    }

    /// Makes an attempt, at one of several instances, through the layers.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call), except that `Elapsed` becomes `Unavailable`, since another instance may still answer in
    /// time.
    pub async fn attempt(service: BoxedService, request: Request) -> Result<Response, Status> {
        let answer = service.oneshot(request).await;
        answer.map_err(|error| match error.is::<Elapsed>() {
            true => Status::unavailable("a timeout layer stopped the attempt"),
            false => Self::status(error),
        })
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Layers({})", self.0.len())
    }
}
