//! The strictest lints find nothing in what is generated, wherever it is visible.

#![deny(
    missing_docs,
    unreachable_pub,
    missing_debug_implementations,
    missing_copy_implementations
)]
#![deny(
    warnings,
    unused,
    unused_qualifications,
    unused_results,
    elided_lifetimes_in_paths,
    single_use_lifetimes
)]
#![deny(
    async_fn_in_trait,
    trivial_bounds,
    non_camel_case_types,
    non_local_definitions,
    let_underscore_drop
)]

use doge_rpc::{Status, service};

/// Adds.
#[service]
pub trait AdderService {
    /// Adds two numbers.
    async fn add(&self, left: u32, right: u32) -> Result<u32, Status>;

    /// Forgets what it knows.
    #[deprecated(note = "it knows nothing")]
    async fn forget(&self) -> Result<(), Status>;
}

/// Nobody uses either end of these.
pub mod inner {
    use doge_rpc::{Status, service};

    /// For this crate.
    #[service]
    pub(crate) trait Crate {
        /// Nothing.
        async fn nothing(&self) -> Result<(), Status>;
    }

    /// For this module and the one above.
    #[service]
    pub(super) trait Above {
        /// Nothing.
        async fn nothing(&self, #[rpc(default)] really: bool) -> Result<(), Status>;
    }

    pub(crate) fn used<T: Crate + Above>() {}
}

#[service]
trait Private {}

fn used<T: Private>() {}

fn main() {
    let _used: [fn(); 2] = [inner::used::<Both>, used::<Both>];
}

struct Both;

impl Private for Both {}

impl inner::Crate for Both {
    async fn nothing(&self) -> Result<(), Status> {
        Ok(())
    }
}

impl inner::Above for Both {
    async fn nothing(&self, _: bool) -> Result<(), Status> {
        Ok(())
    }
}
