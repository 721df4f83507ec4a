//! From the names on the wire to a handler, through the layers.

mod handler;
mod layered;
mod target;

use std::{collections::HashMap, sync::Arc};

use doge_rpc_core::{
    Status,
    call::{BoxedService, Layers, Names, Route, Serve},
    schema::ServiceSchema,
};

use self::{handler::Direct, layered::Layered};
pub(crate) use self::{
    handler::{Handler, Slot},
    target::Target,
};
use crate::StartError;

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
                    let service = service.clone();
                    async move { service.serve(request).await }
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
}

struct Entry {
    schema: &'static ServiceSchema,
    handler: Arc<dyn Handler>,
}

impl Router {
    /// Puts the layers around each service, the first one outermost.
    pub(crate) fn new(added: Vec<Added>, layers: &Layers) -> Result<Self, StartError> {
        let mut services = HashMap::with_capacity(added.len());
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
            if services
                .insert(schema.name(), Entry { schema, handler })
                .is_some()
            {
                return Err(StartError::DuplicateService(schema.name()));
            }
        }
        Ok(Self { services })
    }

    /// What the names of a route stand for.
    pub(crate) fn resolve(&self, names: &Names) -> Target {
        match self.services.get(&*names.service) {
            Some(Entry { schema, handler }) => {
                let route = match schema.method(&names.method) {
                    Some(method) => Route::from(method),
                    None => Route::from(names.clone()),
                };
                Target::new(route, Ok(Arc::clone(handler)))
            }
            None => Target::new(
                Route::from(names.clone()),
                Err(self.unknown(&names.service)),
            ),
        }
    }

    fn unknown(&self, service: &str) -> Status {
        let mut known: Vec<_> = self.services.keys().copied().collect();
        known.sort_unstable();
        Status::unimplemented(format!(
            "no service {service:?} here; this server has {}",
            known.join(", ")
        ))
        .with_never_ran(true)
    }
}
