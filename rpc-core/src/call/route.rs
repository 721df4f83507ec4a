use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, LazyLock, OnceLock},
};

use parking_lot::RwLock;

use super::Names;
use crate::{
    Status,
    protocol::MAX_NAME_LEN,
    schema::{MethodSchema, ServiceSchema},
};

/// A method of a service, by name. Cheap to clone.
#[derive(Clone)]
pub struct Route(Repr);

#[derive(Clone)]
enum Repr {
    Schema(&'static MethodSchema),
    /// One allocation of one type, so that a route of the program is as cheap to clone as if there were no other kind.
    Shared(Arc<Shared>),
}

enum Shared {
    Learnt(Learnt),
    Named(Named),
}

/// A method of a schema that was learnt at run time.
struct Learnt {
    service: Arc<ServiceSchema>,
    /// The index of the method in the schema.
    index: usize,
}

impl Shared {
    fn service(&self) -> &str {
        match self {
            Self::Learnt(learnt) => learnt.method().service(),
            Self::Named(named) => &named.names.service,
        }
    }

    fn method(&self) -> &str {
        match self {
            Self::Learnt(learnt) => learnt.method().name(),
            Self::Named(named) => &named.names.method,
        }
    }

    fn schema(&self) -> Option<&MethodSchema> {
        match self {
            Self::Learnt(learnt) => Some(learnt.method()),
            Self::Named(_) => None,
        }
    }

    fn number(&self) -> u16 {
        match self {
            Self::Learnt(learnt) => learnt.method().number(),
            Self::Named(named) => *named.number.get_or_init(|| route_number(&named.names)),
        }
    }
}

impl Learnt {
    fn method(&self) -> &MethodSchema {
        &self.service.methods()[self.index]
    }
}

struct Named {
    names: Names,
    /// Assigned when a call is sent, so that names made up by peers get no number.
    number: OnceLock<u16>,
}

impl Route {
    /// A method that is known by name only.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` if a name is longer than 255 bytes.
    pub fn named(service: &str, method: &str) -> Result<Self, Status> {
        for name in [service, method] {
            if name.len() > MAX_NAME_LEN {
                let start: String = name.chars().take(20).collect();
                let why = format!(
                    "the name {start:?}... has {} bytes; at most {MAX_NAME_LEN} travel",
                    name.len()
                );
                return Err(Status::invalid_argument(why).not_sent());
            }
        }
        Ok(Names {
            service: service.into(),
            method: method.into(),
        }
        .into())
    }

    /// A method of a schema that was learnt at run time; `None` if the schema has no such method.
    ///
    /// A call by this route is retried, hedged, hashed, timed out and limited like a call of a generated client. Create
    /// the route once per method, and clone it for each call.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use doge_rpc_core::{
    ///     call::Route,
    ///     schema::{MethodSchema, SchemaError, ServiceSchema},
    /// };
    ///
    /// let get = MethodSchema::builder("get").idempotent();
    /// let schema = Arc::new(ServiceSchema::builder("hr.employee", "1").method(get).build()?);
    /// let route = Route::of(&schema, "get").expect("the schema has this method");
    /// assert!(route.idempotent());
    /// assert_eq!(Route::of(&schema, "fire"), None);
    /// # Ok::<(), SchemaError>(())
    /// ```
    pub fn of(service: &Arc<ServiceSchema>, method: &str) -> Option<Self> {
        let index = service.place_of(method)?;
        let learnt = Learnt {
            service: Arc::clone(service),
            index,
        };
        Some(Self(Repr::Shared(Arc::new(Shared::Learnt(learnt)))))
    }

    /// Wire name of the service.
    pub fn service(&self) -> &str {
        match &self.0 {
            Repr::Schema(method) => method.service(),
            Repr::Shared(shared) => shared.service(),
        }
    }

    /// Wire name of the method.
    pub fn method(&self) -> &str {
        match &self.0 {
            Repr::Schema(method) => method.name(),
            Repr::Shared(shared) => shared.method(),
        }
    }

    /// The method's schema, if known.
    pub fn schema(&self) -> Option<&MethodSchema> {
        match &self.0 {
            Repr::Schema(method) => Some(method),
            Repr::Shared(shared) => shared.schema(),
        }
    }

    /// The method's schema, if it is part of the program, so that its address identifies the method.
    pub fn static_schema(&self) -> Option<&'static MethodSchema> {
        match self.0 {
            Repr::Schema(method) => Some(method),
            Repr::Shared(_) => None,
        }
    }

    /// Whether the method may run twice. False without a schema.
    pub fn idempotent(&self) -> bool {
        self.schema().is_some_and(MethodSchema::idempotent)
    }

    /// The number of this route on the wire, chosen by this process; 0 for none.
    pub(crate) fn number(&self) -> u16 {
        match &self.0 {
            Repr::Schema(method) => method.number(),
            Repr::Shared(shared) => shared.number(),
        }
    }

    pub(crate) fn names(&self) -> Names {
        Names {
            service: self.service().into(),
            method: self.method().into(),
        }
    }
}

impl From<&'static MethodSchema> for Route {
    fn from(method: &'static MethodSchema) -> Self {
        Self(Repr::Schema(method))
    }
}

/// Names that came over the wire, and so are within the limit.
impl From<Names> for Route {
    fn from(names: Names) -> Self {
        let number = OnceLock::new();
        let named = Named { names, number };
        Self(Repr::Shared(Arc::new(Shared::Named(named))))
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.service() == other.service() && self.method() == other.method()
    }
}

impl Eq for Route {}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service(), self.method())
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({self})")
    }
}

/// Numbers per process, at most. A peer may remember fewer; a route without a number is sent by name with each call. So
/// a caller of arbitrary names, such as a gateway, needs a bounded table only.
const MAX_NUMBERS: u16 = 16 * 1024;

/// The number of a route in this process. All connections share one table, so that a connection only has to remember
/// the numbers that it has sent with names.
pub(crate) fn route_number(names: &Names) -> u16 {
    static NUMBERS: LazyLock<RwLock<HashMap<Names, u16>>> = LazyLock::new(RwLock::default);
    if let Some(number) = NUMBERS.read().get(names) {
        return *number;
    }
    let mut numbers = NUMBERS.write();
    match u16::try_from(numbers.len() + 1) {
        Ok(next) if next <= MAX_NUMBERS => *numbers.entry(names.clone()).or_insert(next),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Route;
    use crate::schema::{MethodSchema, ServiceSchema};

    #[test]
    fn a_route_has_one_number_however_it_is_made() {
        static METHOD: MethodSchema = MethodSchema::new("route.test", "get", 0);
        let (by_schema, by_name) = (
            Route::from(&METHOD),
            Route::named("route.test", "get").unwrap(),
        );
        let learnt = ServiceSchema::builder("route.test", "1").method(MethodSchema::builder("get"));
        let by_learnt = Route::of(&Arc::new(learnt.build().unwrap()), "get").unwrap();
        assert_eq!(by_learnt, by_name);
        assert_eq!(by_learnt.number(), by_name.number());
        assert_eq!(by_schema, by_name);
        assert_eq!(by_schema.number(), by_name.number());
        assert_ne!(by_schema.number(), 0);
        assert!(
            Route::named(&"x".repeat(256), "get")
                .unwrap_err()
                .never_ran()
        );
        assert_ne!(
            Route::named("route.test", "put").unwrap().number(),
            by_name.number()
        );
    }
}
