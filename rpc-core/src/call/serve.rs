use std::future::Future;

use serde::{Serialize, de::DeserializeOwned};

use super::{Request, Response, Route};
use crate::{Status, schema::ServiceSchema};

/// A service that answers requests, as `#[service]` generates it for an implementation.
///
/// Like a tower `Service`, but without boxing the future, which saves an allocation per call.
pub trait Serve: Clone + Send + Sync + 'static {
    /// The schema of the service.
    fn schema(&self) -> &'static ServiceSchema;

    /// Runs one call.
    fn serve(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, Status>> + Send + 'static;
}

/// A type that can be sent as an argument or a result.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent: it must implement `Serialize` and `DeserializeOwned`",
    note = "put `#[derive(serde::Serialize, serde::Deserialize)]` on it, and let it own its data"
)]
pub trait Wire: Serialize + DeserializeOwned + Send + 'static {}

impl<T: Serialize + DeserializeOwned + Send + 'static> Wire for T {}

/// The error type of a method: a value that can be sent, with a variant for statuses of the framework.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a method",
    note = "give it a variant `Status(#[from] Status)` and derive serde's `Serialize` and `Deserialize`, or use `Status` itself"
)]
pub trait ServiceError: Wire + From<Status> {}

impl<E: Wire + From<Status>> ServiceError for E {}

/// The status for a call of a method that the service does not have.
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
