//! From the names on the wire to a handler, through the layers.

mod handler;
mod layered;
mod target;

use std::{collections::HashMap, sync::Arc};

use doge_rpc_core::{
    Status,
    call::{BoxedService, Layers, Names, Route, Serve, handle, unknown_method},
    connection::Methods,
    schema::{MethodSchema, ServiceSchema},
};

use self::{handler::Direct, layered::Layered};
pub(crate) use self::{
    handler::{Handler, Slot},
    target::{Target, is_long},
};
use crate::{
    StartError,
    stats::{MethodStats, Place, ServerStats},
};

/// A service that was added, before it is known whether layers come around it.
pub(crate) struct Added {
    schema: &'static ServiceSchema,
    direct: Arc<dyn Handler>,
    layer: Box<dyn FnOnce(&Layers) -> BoxedService + Send>,
}

impl Added {
    pub(crate) fn new<S: Serve>(service: S) -> Self {
        let direct = Arc::new(Direct(service.clone()));
        Self {
            schema: direct.0.schema(),
            direct,
            layer: Box::new(move |layers| {
                layers.around(tower::service_fn(move |request| {
                    handle(service.clone(), request)
                }))
            }),
        }
    }

    pub(crate) fn schema(&self) -> &'static ServiceSchema {
        self.schema
    }
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
            direct,
            layer,
        } in added
        {
            let handler = if layers.is_empty() {
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
        let method = entry.schema.method(method)?;
        Some((Resolved::Method(entry.first + method.index()), method))
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
        let methods = self.methods.iter().filter_map(|it| it.route().schema());
        let methods = methods.map(|method| MethodStats::new(method.service(), method.name()));
        let other = MethodStats::new("", ServerStats::OTHER);
        methods.chain([other]).collect()
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
        Status::unimplemented(format!(
            "no service {service:?} here; this server has {}",
            known.join(", ")
        ))
        .rejected()
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

    /// `method` alone is one of the default service; with its service in front it is `service/method` or
    /// `service.method`.
    fn spelt(&self, text: &str) -> (Resolved, Option<&'static MethodSchema>) {
        let default = self.default.unwrap_or_default();
        let divided = text.rsplit_once('/').or_else(|| {
            let divided = text.rsplit_once('.');
            divided.filter(|(service, _)| self.services.contains_key(service))
        });
        let (service, method) = divided.unwrap_or((default, text));
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
