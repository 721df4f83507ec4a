use std::{borrow::Cow, sync::OnceLock, time::Duration};

use super::{ArgumentSchema, MethodBuilder, list::List};
use crate::{
    call::{Names, route_number},
    wire::{StructLayouts, TypeExplorer},
};

/// A method.
#[derive(Debug)]
pub struct MethodSchema {
    pub(super) service: Cow<'static, str>,
    pub(super) name: Cow<'static, str>,
    pub(super) index: usize,
    pub(super) docs: Cow<'static, str>,
    pub(super) arguments: List<ArgumentSchema>,
    pub(super) result: Cow<'static, str>,
    pub(super) error: Cow<'static, str>,
    pub(super) idempotent: bool,
    pub(super) retries: Option<u32>,
    pub(super) hedge: Option<HedgeDelay>,
    pub(super) timeout: Option<Duration>,
    /// Asked for where structs are to be arrays.
    types: &'static [TypeExplorer],
    layouts: OnceLock<StructLayouts>,
    /// Resolved once, so that a call by schema looks no name up.
    number: OnceLock<u16>,
}

impl MethodSchema {
    /// Method `name` of `service`, at `index` among its methods.
    pub const fn new(service: &'static str, name: &'static str, index: usize) -> Self {
        Self::of(Cow::Borrowed(service), Cow::Borrowed(name), index)
    }

    /// A method of a service that is learnt at run time.
    pub fn builder(name: impl Into<Cow<'static, str>>) -> MethodBuilder {
        MethodBuilder::new(name.into())
    }

    pub(super) const fn of(
        service: Cow<'static, str>,
        name: Cow<'static, str>,
        index: usize,
    ) -> Self {
        Self {
            service,
            name,
            index,
            docs: Cow::Borrowed(""),
            arguments: List::Static(&[]),
            result: Cow::Borrowed(""),
            error: Cow::Borrowed(""),
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
        replace(&mut self.docs, Cow::Borrowed(docs));
        self
    }

    /// Sets the arguments, in wire order.
    #[must_use]
    pub const fn with_arguments(mut self, arguments: &'static [ArgumentSchema]) -> Self {
        replace(&mut self.arguments, List::Static(arguments));
        self
    }

    /// Sets the types of result and error, as the trait spells them.
    #[must_use]
    pub const fn with_returns(mut self, result: &'static str, error: &'static str) -> Self {
        replace(&mut self.result, Cow::Borrowed(result));
        replace(&mut self.error, Cow::Borrowed(error));
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
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Wire name of the method.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Place among the methods of its service.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Documentation.
    pub fn docs(&self) -> &str {
        &self.docs
    }

    /// Arguments, in wire order.
    pub fn arguments(&self) -> &[ArgumentSchema] {
        &self.arguments
    }

    /// Type of the result, as the trait spells it.
    pub fn result(&self) -> &str {
        &self.result
    }

    /// Type of the error, as the trait spells it.
    pub fn error(&self) -> &str {
        &self.error
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
                service: (*self.service).into(),
                method: (*self.name).into(),
            })
        })
    }
}

/// Replaces a value that holds no memory. A constant function cannot drop the value, and need not: only a method of a
/// built [`ServiceSchema`](super::ServiceSchema) has memory of its own, and no such method is ever handed out by value.
const fn replace<T>(place: &mut T, value: T) {
    std::mem::forget(std::mem::replace(place, value));
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
