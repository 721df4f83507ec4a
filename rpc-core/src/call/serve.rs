use std::future::Future;

use serde::{Serialize, de::DeserializeOwned};

use super::{Request, Response, Route};
use crate::{Status, schema::ServiceSchema};

/// A service that requests can be given to: what `#[service]` makes of an implementation.
///
/// It is a tower `Service` without the box around its future, which a server so saves on each call.
pub trait Serve: Clone + Send + Sync + 'static {
    /// What the service looks like from outside.
    fn schema(&self) -> &'static ServiceSchema;

    /// Runs one call.
    fn serve(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, Status>> + Send + 'static;
}

/// What can travel as an argument or a result.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel: it is not serde",
    note = "put `#[derive(serde::Serialize, serde::Deserialize)]` on it, and let it own its data"
)]
pub trait Wire: Serialize + DeserializeOwned + Send + 'static {}

impl<T: Serialize + DeserializeOwned + Send + 'static> Wire for T {}

/// What can be the error of a method: a value that travels, and that has a place for what the framework reports.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a method",
    note = "give it a variant `Status(#[from] Status)` and derive serde's `Serialize` and `Deserialize`, or use `Status` itself"
)]
pub trait ServiceError: Wire + From<Status> {}

impl<E: Wire + From<Status>> ServiceError for E {}

/// The answer to a call of a method that the service does not have.
pub fn unknown_method(schema: &ServiceSchema, route: &Route) -> Status {
    let methods = schema.methods().iter();
    let known: Vec<_> = methods.map(|method| method.name()).collect();
    Status::unimplemented(format!(
        "service {} has no method {:?}; it has {}",
        schema.name(),
        route.method(),
        match known.is_empty() {
            true => "none".to_owned(),
            false => known.join(", "),
        }
    ))
    .rejected()
}

#[cfg(test)]
mod tests {
    use super::{Route, ServiceSchema, unknown_method};
    use crate::schema::MethodSchema;

    #[test]
    fn an_unknown_method_is_told_with_those_that_there_are() {
        static METHODS: [MethodSchema; 2] = [
            MethodSchema::new("s", "a", 0),
            MethodSchema::new("s", "b", 1),
        ];
        let route = Route::named("s", "c").unwrap();
        for (methods, has) in [(&METHODS[..], "it has a, b"), (&[], "it has none")] {
            let status = unknown_method(&ServiceSchema::new("s", "1", "", methods), &route);
            let text = format!("service s has no method \"c\"; {has}");
            assert_eq!(status.message(), text);
        }
    }
}
