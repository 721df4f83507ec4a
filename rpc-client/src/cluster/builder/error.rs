use doge_registry::{RegistryError, ServiceKey};
use thiserror::Error;

use crate::limit::InvalidLimits;

/// A cluster cannot follow.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// There is nowhere to find instances.
    #[error("no registry to find instances of {0} in; add one with `registry`")]
    NoRegistry(ServiceKey),
    /// The registry cannot be watched.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A policy is for a method that the trait does not have.
    #[error(
        "{service} has no method {method:?} to have a policy; it has {}",
        listed(known)
    )]
    UnknownMethod {
        /// The service.
        service: ServiceKey,
        /// What was given.
        method: String,
        /// Wire names of the methods that there are, in the order of the trait.
        known: Vec<String>,
    },
    /// A limit that nothing can keep to.
    #[error(transparent)]
    Limits(#[from] InvalidLimits),
}

fn listed(methods: &[String]) -> String {
    match methods {
        [] => "none".to_owned(),
        methods => methods.join(", "),
    }
}
