use std::borrow::Cow;

use super::{MethodSchema, ServiceBuilder, list::List};
use crate::call::Route;

/// A service.
#[derive(Debug)]
pub struct ServiceSchema {
    pub(super) name: Cow<'static, str>,
    pub(super) version: Cow<'static, str>,
    pub(super) docs: Cow<'static, str>,
    pub(super) methods: List<MethodSchema>,
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
            name: Cow::Borrowed(name),
            version: Cow::Borrowed(version),
            docs: Cow::Borrowed(docs),
            methods: List::Static(methods),
        }
    }

    /// A service that is learnt at run time, by reflection or from a file.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    ///
    /// use doge_rpc_core::{
    ///     call::Route,
    ///     schema::{ArgumentSchema, HedgeDelay, MethodSchema, ServiceSchema},
    /// };
    ///
    /// let sum = MethodSchema::builder("sum")
    ///     .arguments(["a", "b"].map(|name| ArgumentSchema::learnt(name, "u32")))
    ///     .idempotent()
    ///     .hedge(HedgeDelay::After(Duration::from_millis(20)));
    /// let schema = Arc::new(ServiceSchema::builder("calculator", "1").method(sum).build()?);
    ///
    /// let route = Route::of(&schema, "sum").expect("the schema has this method");
    /// assert!(route.idempotent());
    /// # Ok::<(), doge_rpc_core::schema::SchemaError>(())
    /// ```
    pub fn builder(
        name: impl Into<Cow<'static, str>>,
        version: impl Into<Cow<'static, str>>,
    ) -> ServiceBuilder {
        ServiceBuilder::new(name.into(), version.into())
    }

    /// The name on the wire.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version that it registers under.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Documentation of the trait.
    pub fn docs(&self) -> &str {
        &self.docs
    }

    /// The methods, in the order of the trait.
    pub fn methods(&self) -> &[MethodSchema] {
        &self.methods
    }

    /// The method of this wire name.
    pub fn method(&self, name: &str) -> Option<&MethodSchema> {
        self.methods.iter().find(|method| method.name() == name)
    }

    /// The place of the method of this wire name among the [`methods`](Self::methods).
    pub fn place_of(&self, method: &str) -> Option<usize> {
        self.methods.iter().position(|own| own.name() == method)
    }

    /// The place of the method that a route names among the [`methods`](Self::methods) of this service.
    #[inline]
    pub fn index_of(&self, route: &Route) -> Option<usize> {
        // A route that was made from this very schema knows the place; any other is looked up by name.
        let own = route.schema().filter(|method| {
            let at_its_place = self.methods.get(method.index());
            at_its_place.is_some_and(|own| std::ptr::eq(own, *method))
        });
        match own {
            Some(method) => Some(method.index()),
            None => self.place_of(route.method()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{MethodSchema, Route, ServiceSchema};

    static METHODS: [MethodSchema; 2] = [
        MethodSchema::new("s", "get", 0),
        // Written by hand, and wrong.
        MethodSchema::new("s", "put", 7),
    ];
    static SCHEMA: ServiceSchema = ServiceSchema::new("s", "1", "", &METHODS);

    #[test]
    fn a_place_is_found_by_identity_or_by_name_and_is_never_outside() {
        let learnt = ServiceSchema::builder("s", "1")
            .method(MethodSchema::builder("put"))
            .method(MethodSchema::builder("get"));
        let learnt = Arc::new(learnt.build().unwrap());
        let routes = |method: &str| {
            [
                Route::from(SCHEMA.method(method).unwrap()),
                Route::of(&learnt, method).unwrap(),
                Route::named("s", method).unwrap(),
            ]
        };
        for route in routes("get") {
            assert_eq!(SCHEMA.index_of(&route), Some(0));
            assert_eq!(learnt.index_of(&route), Some(1));
        }
        for route in routes("put") {
            assert_eq!(SCHEMA.index_of(&route), Some(1));
            assert_eq!(learnt.index_of(&route), Some(0));
        }
        let strange = Route::named("s", "delete").unwrap();
        assert_eq!(SCHEMA.index_of(&strange), None);
        assert_eq!(learnt.index_of(&strange), None);
    }
}
