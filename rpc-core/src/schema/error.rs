use std::time::Duration;

use thiserror::Error;

use crate::protocol::MAX_NAME_LEN;

/// Why a [`ServiceBuilder`](super::ServiceBuilder) makes no schema. The rules are those of `#[service]`.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// A name that is empty, or longer than what travels.
    #[error(
        "the name {name:?} has {} bytes: a service or a method is called by 1 to {MAX_NAME_LEN} bytes",
        name.len()
    )]
    Name {
        /// The name of the service or method.
        name: String,
    },
    /// Two methods of one name.
    #[error("service {service} has two methods {method:?}: leave one of them out")]
    DuplicateMethod {
        /// Wire name of the service.
        service: String,
        /// Wire name of the methods.
        method: String,
    },
    /// Retries or a hedge of a method that may not run twice.
    #[error(
        "method {method} has {option} and is not idempotent: declare it idempotent, or leave {option} out"
    )]
    NotIdempotent {
        /// Wire name of the method.
        method: String,
        /// `retries` or `hedge`.
        option: &'static str,
    },
    /// More retries than make sense.
    #[error("method {method} has {retries} retries: at most {MAX_RETRIES} are allowed")]
    Retries {
        /// Wire name of the method.
        method: String,
        /// As the schema has them.
        retries: u32,
    },
    /// A timeout of zero.
    #[error(
        "method {method} has a timeout of zero, which fails every call: give it time, or leave the timeout out"
    )]
    Timeout {
        /// Wire name of the method.
        method: String,
    },
    /// A hedge that would begin at once or never.
    #[error(
        "method {method} has the hedge {hedge}: it must come after more than no time and before the call ends, after \
         {timeout:?}, or at a percentile of more than 0 and less than 100"
    )]
    Hedge {
        /// Wire name of the method.
        method: String,
        /// As the schema has it.
        hedge: String,
        /// When a call of the method ends.
        timeout: Duration,
    },
}

/// As many as `#[rpc(retries = ..)]` takes: Kitex's cap, more are a storm in the making.
pub(super) const MAX_RETRIES: u32 = 5;
