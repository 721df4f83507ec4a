use std::{borrow::Cow, collections::HashSet, time::Duration};

use super::{
    ArgumentSchema, HedgeDelay, MethodSchema, SchemaError, ServiceSchema, error::MAX_RETRIES,
    list::List,
};
use crate::{Deadline, protocol::MAX_NAME_LEN};

/// The schema of a service that is learnt at run time, before it is checked. Made by [`ServiceSchema::builder`].
#[must_use = "a builder makes no schema before `build`"]
#[derive(Debug)]
pub struct ServiceBuilder {
    name: Cow<'static, str>,
    version: Cow<'static, str>,
    docs: Cow<'static, str>,
    methods: Vec<MethodBuilder>,
}

impl ServiceBuilder {
    pub(super) fn new(name: Cow<'static, str>, version: Cow<'static, str>) -> Self {
        Self {
            name,
            version,
            docs: Cow::Borrowed(""),
            methods: Vec::new(),
        }
    }

    /// Sets the documentation.
    pub fn docs(mut self, docs: impl Into<Cow<'static, str>>) -> Self {
        self.docs = docs.into();
        self
    }

    /// Adds a method, after those that are there.
    pub fn method(mut self, method: MethodBuilder) -> Self {
        self.methods.push(method);
        self
    }

    /// Checks the schema, and makes it.
    ///
    /// # Errors
    ///
    /// When a name or an option of a method breaks the rules that `#[service]` has for traits.
    pub fn build(self) -> Result<ServiceSchema, SchemaError> {
        check_name(&self.name)?;
        let mut names = HashSet::new();
        for MethodBuilder(method) in &self.methods {
            check(method)?;
            if !names.insert(method.name()) {
                return Err(SchemaError::DuplicateMethod {
                    service: self.name.into_owned(),
                    method: method.name().to_owned(),
                });
            }
        }
        let in_order = self.methods.into_iter().enumerate();
        let methods = in_order.map(|(index, MethodBuilder(mut method))| {
            method.service = self.name.clone();
            method.index = index;
            method
        });
        Ok(ServiceSchema {
            methods: List::Owned(methods.collect()),
            name: self.name,
            version: self.version,
            docs: self.docs,
        })
    }
}

/// A method of a service that is learnt at run time. Made by [`MethodSchema::builder`].
#[must_use = "a method is part of a schema once `ServiceBuilder::method` has taken it"]
#[derive(Debug)]
pub struct MethodBuilder(MethodSchema);

impl MethodBuilder {
    pub(super) fn new(name: Cow<'static, str>) -> Self {
        Self(MethodSchema::of(Cow::Borrowed(""), name, 0))
    }

    /// Sets the documentation.
    pub fn docs(mut self, docs: impl Into<Cow<'static, str>>) -> Self {
        self.0.docs = docs.into();
        self
    }

    /// Sets the arguments, in wire order.
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = ArgumentSchema>) -> Self {
        self.0.arguments = List::Owned(arguments.into_iter().collect());
        self
    }

    /// Sets the types of result and error, as the trait spells them.
    pub fn returns(
        mut self,
        result: impl Into<Cow<'static, str>>,
        error: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.0.result = result.into();
        self.0.error = error.into();
        self
    }

    /// Declares that running it twice is as good as once.
    pub fn idempotent(mut self) -> Self {
        self.0.idempotent = true;
        self
    }

    /// Sets how often a call that failed is tried again at most: up to 5 times, and only for a method that is idempotent.
    pub fn retries(mut self, retries: u32) -> Self {
        self.0.retries = Some(retries);
        self
    }

    /// Sets when a call is made a second time; only for a method that is idempotent.
    pub fn hedge(mut self, hedge: HedgeDelay) -> Self {
        self.0.hedge = Some(hedge);
        self
    }

    /// Sets the time that a call gets when its caller says nothing; more than zero.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = Some(timeout);
        self
    }
}

fn check(method: &MethodSchema) -> Result<(), SchemaError> {
    check_name(method.name())?;
    let name = || method.name().to_owned();
    let options = [
        ("retries", method.retries().is_some()),
        ("hedge", method.hedge().is_some()),
    ];
    for (option, is_set) in options {
        if is_set && !method.idempotent() {
            let method = name();
            return Err(SchemaError::NotIdempotent { method, option });
        }
    }
    match method.retries() {
        Some(retries) if retries > MAX_RETRIES => {
            let method = name();
            return Err(SchemaError::Retries { method, retries });
        }
        _ => {}
    }
    let timeout = method.timeout().unwrap_or(Deadline::DEFAULT_TIMEOUT);
    if timeout.is_zero() {
        return Err(SchemaError::Timeout { method: name() });
    }
    let hedge = match method.hedge() {
        Some(HedgeDelay::After(delay)) if delay.is_zero() || delay >= timeout => {
            format!("after {delay:?}")
        }
        Some(HedgeDelay::Percentile(percentile)) if !(percentile > 0.0 && percentile < 100.0) => {
            format!("at percentile {percentile}")
        }
        _ => return Ok(()),
    };
    Err(SchemaError::Hedge {
        method: name(),
        hedge,
        timeout,
    })
}

fn check_name(name: &str) -> Result<(), SchemaError> {
    if name.is_empty() || name.len() > MAX_NAME_LEN {
        return Err(SchemaError::Name {
            name: name.to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        ArgumentSchema, HedgeDelay, MethodBuilder, MethodSchema, SchemaError, ServiceSchema,
    };

    fn build(method: MethodBuilder) -> Result<ServiceSchema, SchemaError> {
        ServiceSchema::builder("s", "1").method(method).build()
    }

    fn get() -> MethodBuilder {
        MethodSchema::builder("get")
    }

    #[test]
    fn a_schema_that_is_learnt_says_what_one_of_the_program_says() {
        let name = String::from("calculator");
        let arguments = ["a", "b"].map(|name| ArgumentSchema::learnt(name, String::from("u32")));
        let sum = MethodSchema::builder("sum")
            .docs("Adds.")
            .arguments(arguments)
            .returns("u32", "Status")
            .idempotent()
            .retries(3)
            .timeout(Duration::from_millis(300));
        let schema = ServiceSchema::builder(name, "2")
            .docs("Calculates.")
            .method(MethodSchema::builder("reset"))
            .method(sum);
        let schema = schema.build().unwrap();
        assert_eq!(
            (schema.name(), schema.version(), schema.docs()),
            ("calculator", "2", "Calculates.")
        );
        let sum = schema.method("sum").unwrap();
        assert_eq!((sum.service(), sum.index()), ("calculator", 1));
        assert_eq!(
            (sum.docs(), sum.result(), sum.error()),
            ("Adds.", "u32", "Status")
        );
        let arguments = sum.arguments().iter().map(|it| (it.name(), it.ty()));
        assert!(arguments.eq([("a", "u32"), ("b", "u32")]));
        assert_eq!((sum.idempotent(), sum.retries()), (true, Some(3)));
        assert_eq!(sum.timeout(), Some(Duration::from_millis(300)));
    }

    #[test]
    fn what_a_trait_may_not_declare_is_refused() {
        let after = |millis| HedgeDelay::After(Duration::from_millis(millis));
        for (method, says) in [
            (MethodSchema::builder(""), "0 bytes"),
            (MethodSchema::builder("x".repeat(256)), "256 bytes"),
            (get().retries(1), "has retries and is not idempotent"),
            (get().hedge(after(20)), "has hedge and is not idempotent"),
            (get().idempotent().retries(6), "at most 5"),
            (get().timeout(Duration::ZERO), "timeout of zero"),
            (get().idempotent().hedge(after(0)), "the hedge after 0ns"),
            (get().idempotent().hedge(after(1_000)), "ends, after 1s"),
            (
                get()
                    .idempotent()
                    .timeout(Duration::from_millis(10))
                    .hedge(after(10)),
                "ends, after 10ms",
            ),
            (
                get().idempotent().hedge(HedgeDelay::Percentile(f64::NAN)),
                "at percentile NaN",
            ),
            (
                get().idempotent().hedge(HedgeDelay::Percentile(100.0)),
                "at percentile 100",
            ),
        ] {
            let error = build(method).unwrap_err().to_string();
            assert!(error.contains(says), "{says}: {error}");
        }
        let twice = ServiceSchema::builder("s", "1").method(get()).method(get());
        let error = twice.build().unwrap_err().to_string();
        assert_eq!(
            error,
            "service s has two methods \"get\": leave one of them out"
        );
        assert!(build(get().idempotent().retries(5).hedge(after(999))).is_ok());
    }
}
