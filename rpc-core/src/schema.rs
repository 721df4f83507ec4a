//! What a service looks like from outside: names, arguments, docs, options. `#[service]` makes it from the trait.

use std::{sync::OnceLock, time::Duration};

use crate::{
    call::{Names, Route, route_number},
    wire::{StructLayouts, TypeExplorer},
};

/// A service.
#[derive(Debug)]
pub struct ServiceSchema {
    name: &'static str,
    version: &'static str,
    docs: &'static str,
    methods: &'static [MethodSchema],
}

impl ServiceSchema {
    /// A service of this wire name, version and documentation, with its methods.
    pub const fn new(
        name: &'static str,
        version: &'static str,
        docs: &'static str,
        methods: &'static [MethodSchema],
    ) -> Self {
        Self {
            name,
            version,
            docs,
            methods,
        }
    }

    /// The name on the wire.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The version that it registers under.
    pub fn version(&self) -> &'static str {
        self.version
    }

    /// Documentation of the trait.
    pub fn docs(&self) -> &'static str {
        self.docs
    }

    /// The methods, in the order of the trait.
    pub fn methods(&self) -> &'static [MethodSchema] {
        self.methods
    }

    /// The method of this wire name.
    pub fn method(&self, name: &str) -> Option<&'static MethodSchema> {
        self.methods.iter().find(|method| method.name == name)
    }

    /// The place of the method that a route names among the methods of this service.
    pub fn index_of(&self, route: &Route) -> Option<usize> {
        // A route that was resolved by this very schema says it by itself; another one is looked up by name.
        let own = |method: &&MethodSchema| {
            self.methods
                .get(method.index)
                .is_some_and(|own| std::ptr::eq(own, *method))
        };
        let method = route
            .schema()
            .filter(own)
            .or_else(|| self.method(route.method()))?;
        Some(method.index)
    }
}

/// A method.
#[derive(Debug)]
pub struct MethodSchema {
    service: &'static str,
    name: &'static str,
    index: usize,
    docs: &'static str,
    arguments: &'static [ArgumentSchema],
    result: &'static str,
    error: &'static str,
    idempotent: bool,
    retries: Option<u32>,
    hedge: Option<HedgeDelay>,
    timeout: Option<Duration>,
    /// Asked for where structs are to be arrays.
    types: &'static [TypeExplorer],
    layouts: OnceLock<StructLayouts>,
    /// Resolved once per process, so that a call by schema looks no name up.
    number: OnceLock<u16>,
}

impl MethodSchema {
    /// Method `name` of `service`, at `index` among its methods.
    pub const fn new(service: &'static str, name: &'static str, index: usize) -> Self {
        Self {
            service,
            name,
            index,
            docs: "",
            arguments: &[],
            result: "",
            error: "",
            idempotent: false,
            retries: None,
            hedge: None,
            timeout: None,
            types: &[],
            layouts: OnceLock::new(),
            number: OnceLock::new(),
        }
    }

    /// Sets the documentation.
    #[must_use]
    pub const fn with_docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// Sets the arguments, in wire order.
    #[must_use]
    pub const fn with_arguments(mut self, arguments: &'static [ArgumentSchema]) -> Self {
        self.arguments = arguments;
        self
    }

    /// Sets the types of result and error, as the trait spells them.
    #[must_use]
    pub const fn with_returns(mut self, result: &'static str, error: &'static str) -> Self {
        self.result = result;
        self.error = error;
        self
    }

    /// Declares that running it twice is as good as once.
    #[must_use]
    pub const fn with_idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Sets how often a call that failed is tried again at most; only for a method that is idempotent.
    #[must_use]
    pub const fn with_retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    /// Sets when a call is made a second time; only for a method that is idempotent.
    #[must_use]
    pub const fn with_hedge(mut self, hedge: HedgeDelay) -> Self {
        self.hedge = Some(hedge);
        self
    }

    /// Sets the time that a call gets when its caller says nothing.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Has structs written as arrays where they can be read back. The types are those of all arguments, of the result
    /// and of the error.
    #[must_use]
    pub const fn with_arrays(mut self, types: &'static [TypeExplorer]) -> Self {
        self.types = types;
        self
    }

    /// Wire name of the service.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Wire name of the method.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Place among the methods of its service.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Documentation.
    pub fn docs(&self) -> &'static str {
        self.docs
    }

    /// Arguments, in wire order.
    pub fn arguments(&self) -> &'static [ArgumentSchema] {
        self.arguments
    }

    /// Type of the result, as the trait spells it.
    pub fn result(&self) -> &'static str {
        self.result
    }

    /// Type of the error, as the trait spells it.
    pub fn error(&self) -> &'static str {
        self.error
    }

    /// Whether running it twice is as good as once, so that a call may be retried and hedged.
    pub fn idempotent(&self) -> bool {
        self.idempotent
    }

    /// How often a call that failed is tried again at most; `None` for what the client is set to.
    pub fn retries(&self) -> Option<u32> {
        self.retries
    }

    /// When a call that has no answer yet is made a second time; `None` for what the client is set to.
    pub fn hedge(&self) -> Option<HedgeDelay> {
        self.hedge
    }

    /// Time that a call gets when its caller says nothing; `None` for the default of 1 s.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// How structs are written. The types are explored at the first call of this.
    pub fn encoding(&self) -> Encoding<'_> {
        if self.types.is_empty() {
            return Encoding::Map;
        }
        let layouts = self.layouts.get_or_init(|| StructLayouts::of(self.types));
        if layouts.is_complete() {
            Encoding::Array(layouts)
        } else {
            Encoding::Map
        }
    }

    pub(crate) fn number(&self) -> u16 {
        *self.number.get_or_init(|| {
            route_number(&Names {
                service: self.service.into(),
                method: self.name.into(),
            })
        })
    }
}

/// When a call that has no answer yet is made a second time, elsewhere; the first answer counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HedgeDelay {
    /// After so long.
    After(Duration),
    /// After the time in which this percentage of the method's calls have been answered: 95.0 is the slowest one in
    /// twenty. More than 0 and less than 100.
    Percentile(f64),
}

/// An argument of a method.
#[derive(Debug)]
pub struct ArgumentSchema {
    name: &'static str,
    ty: &'static str,
    optional: bool,
}

impl ArgumentSchema {
    /// An argument of this name and type.
    pub const fn new(name: &'static str, ty: &'static str) -> Self {
        Self {
            name,
            ty,
            optional: false,
        }
    }

    /// Says that callers may leave it out.
    #[must_use]
    pub const fn with_default(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its type, as the trait spells it.
    pub fn ty(&self) -> &'static str {
        self.ty
    }

    /// Whether callers may leave it out.
    pub fn optional(&self) -> bool {
        self.optional
    }
}

/// How structs are written. Readers take both.
#[derive(Clone, Copy, Debug, Default)]
pub enum Encoding<'a> {
    /// As maps by field name: fields can come and go, any MessagePack peer can read them.
    #[default]
    Map,
    /// As arrays by field order where these layouts have the struct: smaller, and the order is the contract. A value with
    /// a struct that they do not have, or that leaves a field out, is written with maps.
    Array(&'a StructLayouts),
}
