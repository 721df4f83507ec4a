use std::fmt;

use tower::{
    BoxError, Layer, Service, ServiceExt as _, load_shed::error::Overloaded,
    timeout::error::Elapsed, util::BoxCloneSyncService,
};

use super::{Request, Response};
use crate::Status;

/// What takes calls, as a tower layer sees it: the same on either end and at each place.
pub type BoxedService = BoxCloneSyncService<Request, Response, BoxError>;

/// What [`Layers::push`] takes: any tower layer whose service can be cloned and takes [`Request`]s. tower's own layers
/// for timeouts, concurrency and load shedding are such; its rate limit is with a buffer around it.
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
    /// Adds a layer inside of those that are there.
    pub fn push(&mut self, layer: impl CallLayer) {
        self.0.push(Box::new(layer));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts them around a service.
    pub fn around<S>(&self, service: S) -> BoxedService
    where
        S: Service<Request, Response = Response, Error = Status> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        let service = BoxCloneSyncService::new(service.map_err(BoxError::from));
        let outwards = self.0.iter().rev();
        outwards.fold(service, |service, layer| layer.wrap(service))
    }

    /// Makes a call through them.
    ///
    /// # Errors
    ///
    /// A layer's error that is a [`Status`] is the status of the call; tower's `Overloaded` and `Elapsed` become
    /// `ResourceExhausted` and `DeadlineExceeded`, others `Unknown`.
    pub async fn call(service: BoxedService, request: Request) -> Result<Response, Status> {
        service.oneshot(request).await.map_err(into_status)
    }

    /// Makes an attempt through them, at one of several instances.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call), except that `Elapsed` becomes `Unavailable`: another instance may still be in time.
    pub async fn attempt(service: BoxedService, request: Request) -> Result<Response, Status> {
        let answer = service.oneshot(request).await;
        answer.map_err(|error| match error.is::<Elapsed>() {
            true => Status::unavailable("a timeout layer stopped the attempt"),
            false => into_status(error),
        })
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Layers({})", self.0.len())
    }
}

/// What a layer's error says of the call. tower's own are known; a layer that has more to say fails with a
/// [`Status`].
fn into_status(error: BoxError) -> Status {
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
