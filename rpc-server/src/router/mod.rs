//! From the names on the wire to a handler, through the layers.

mod handler;
mod in_place;
mod layered;
mod target;
mod usage;

use std::{collections::HashMap, sync::Arc};

use doge_rpc_core::{
    Status,
    call::{BoxedService, Layers, Names, Request, Response, Route, Serve, handle, unknown_method},
    connection::Methods,
    schema::{MethodSchema, ServiceSchema},
};
use tower::Service;

use self::{handler::Direct, layered::Layered};
pub(crate) use self::{
    handler::{Handler, Slot},
    in_place::is_long,
    target::Target,
    usage::Usage,
};
use crate::{
    StartError,
    stats::{MethodStats, Place, ServerStats},
};

/// A service that was added, before it is known whether layers of the server come around it.
pub(crate) struct Added {
    schema: &'static ServiceSchema,
    /// It has no layers of its own.
    is_bare: bool,
    direct: Arc<dyn Handler>,
    layer: Box<dyn FnOnce(&Layers) -> BoxedService + Send>,
}

impl Added {
    pub(crate) fn new<S: Serve>(service: S) -> Self {
        let direct = Arc::new(Direct(service.clone()));
        Self {
            schema: direct.0.schema(),
            is_bare: true,
            direct,
            layer: Box::new(move |layers| layers.around(service_of(service))),
        }
    }

    /// A service with layers of its own, inside those of the server.
    pub(crate) fn layered<S: Serve>(service: S, own: Layers) -> Self {
        let inner = service.clone();
        Self {
            is_bare: false,
            layer: Box::new(move |layers| {
                let inner = own.around(service_of(inner));
                let inner = tower::service_fn(move |request| Layers::call(inner.clone(), request));
                layers.around(inner)
            }),
            ..Self::new(service)
        }
    }

    pub(crate) fn schema(&self) -> &'static ServiceSchema {
        self.schema
    }
}

fn service_of<S: Serve>(
    service: S,
) -> impl Service<Request, Response = Response, Error = Status, Future: Send> + Clone + Send + Sync
{
    tower::service_fn(move |request| handle(service.clone(), request))
}

/// The services of a server, by name.
pub(crate) struct Router {
    services: HashMap<&'static str, Entry>,
    /// The methods of all services.
    methods: Vec<Target>,
    /// The service of a method that is called without one.
    default: Option<&'static str>,
}

struct Entry {
    schema: &'static ServiceSchema,
    /// Where its methods begin among those of all.
    first: usize,
}

/// What the names of a route stand for. A method that exists is known by its place, which each call copies without
/// counting a reference.
#[derive(Clone)]
pub(crate) enum Resolved {
    Method(usize),
    /// There is no such method, or no such service.
    Stray(Arc<Target>),
}

impl Resolved {
    /// Under which its calls are counted.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Method(index) => Place::of(*index),
            Self::Stray(_) => Place::OTHER,
        }
    }
}

impl Router {
    /// Puts the layers around each service, the first one outermost.
    pub(crate) fn new(
        added: Vec<Added>,
        layers: &Layers,
        default: Option<&str>,
    ) -> Result<Self, StartError> {
        let default = default_service(&added, default)?;
        let mut services = HashMap::with_capacity(added.len());
        let mut methods = Vec::new();
        for Added {
            schema,
            is_bare,
            direct,
            layer,
        } in added
        {
            let handler = if layers.is_empty() && is_bare {
                direct
            } else {
                Arc::new(Layered(layer(layers)))
            };
            let first = methods.len();
            methods.extend(
                schema
                    .methods()
                    .iter()
                    .map(|method| Target::new(Route::from(method), Ok(Arc::clone(&handler)))),
            );
            let entry = Entry { schema, first };
            if services.insert(schema.name(), entry).is_some() {
                return Err(StartError::DuplicateService(schema.name()));
            }
        }
        Ok(Self {
            services,
            methods,
            default,
        })
    }

    /// The method of this service, if there is one.
    fn find(&self, service: &str, method: &str) -> Option<(Resolved, &'static MethodSchema)> {
        let entry = self.services.get(service)?;
        let place = entry.schema.place_of(method)?;
        let method = &entry.schema.methods()[place];
        Some((Resolved::Method(entry.first + place), method))
    }

    /// What refuses calls of a method that does not exist.
    fn stray(&self, names: Names) -> Resolved {
        let route = Route::from(names);
        let status = match self.services.get(route.service()) {
            Some(entry) => unknown_method(entry.schema, &route),
            None => self.unknown(route.service()),
        };
        Resolved::Stray(Arc::new(Target::new(route, Err(status))))
    }

    /// Figures of all methods, which are zero, and at the end those of methods that do not exist.
    pub(crate) fn stats(&self) -> Vec<MethodStats> {
        let methods = self
            .methods
            .iter()
            .filter_map(|it| it.route().static_schema());
        let methods = methods.map(|method| MethodStats::new(method.service(), method.name()));
        let other = MethodStats::new("", ServerStats::OTHER);
        methods.chain([other]).collect()
    }

    /// Whether a method that is called without its service is one of this service.
    pub(crate) fn is_default(&self, service: &str) -> bool {
        self.default == Some(service)
    }

    /// The target that names were resolved to.
    pub(crate) fn target<'a>(&'a self, resolved: &'a Resolved) -> &'a Target {
        match resolved {
            Resolved::Method(place) => &self.methods[*place],
            Resolved::Stray(target) => target,
        }
    }

    /// The route of a method that exists.
    pub(crate) fn route(&self, place: Place) -> Option<&Route> {
        self.methods.get(place.index()).map(Target::route)
    }

    fn unknown(&self, service: &str) -> Status {
        let mut known: Vec<_> = self.services.keys().copied().collect();
        known.sort_unstable();
        let has = match known.is_empty() {
            true => "this server serves nothing".to_owned(),
            false => format!("this server has {}", known.join(", ")),
        };
        Status::unimplemented(format!("no service {service:?} here; {has}")).rejected()
    }
}

impl Methods<Resolved> for Router {
    #[inline]
    fn named(&self, names: &Names) -> Resolved {
        match self.find(&names.service, &names.method) {
            Some((method, _)) => method,
            None => self.stray(names.clone()),
        }
    }

    /// `method` alone is one of `service`, or else of the default service; with its service in front it is
    /// `service/method` or `service.method`.
    fn spelt(
        &self,
        service: Option<&str>,
        text: &str,
    ) -> (Resolved, Option<&'static MethodSchema>) {
        let (service, method) = match service {
            Some(service) => (service, unqualified(service, text)),
            None => self.divided(text),
        };
        match self.find(service, method) {
            Some((place, method)) => (place, Some(method)),
            None => {
                let names = Names {
                    service: service.into(),
                    method: method.into(),
                };
                (self.stray(names), None)
            }
        }
    }
}

impl Router {
    /// The service and the method of a text that is all that a caller says.
    fn divided<'a>(&'a self, text: &'a str) -> (&'a str, &'a str) {
        let divided = text.rsplit_once('/').or_else(|| {
            let divided = text.rsplit_once('.');
            divided.filter(|(service, _)| self.services.contains_key(service))
        });
        divided.unwrap_or((self.default.unwrap_or_default(), text))
    }
}

/// The method of a text that may have the service in front.
fn unqualified<'a>(service: &str, text: &'a str) -> &'a str {
    let method = text.strip_prefix(service);
    let method = method.and_then(|rest| rest.strip_prefix(['/', '.']));
    method.unwrap_or(text)
}

/// The service of this name, or the first one.
fn default_service(
    added: &[Added],
    wanted: Option<&str>,
) -> Result<Option<&'static str>, StartError> {
    let mut names = added.iter().map(|added| added.schema().name());
    match wanted {
        None => Ok(names.next()),
        Some(wanted) => match names.find(|name| *name == wanted) {
            None => Err(StartError::UnknownDefaultService(wanted.to_owned())),
            found => Ok(found),
        },
    }
}

#[cfg(test)]
mod tests {
    use doge_rpc_core::call::Layers;

    use super::Router;

    #[test]
    fn a_server_without_a_service_says_that_it_serves_nothing() {
        let Ok(router) = Router::new(Vec::new(), &Layers::default(), None) else {
            panic!("a server may have no service");
        };
        let status = router.unknown("hr.employee");
        let text = "no service \"hr.employee\" here; this server serves nothing";
        assert_eq!(status.message(), text);
    }
}
