//! A trait is the same in every build.

use doge_rpc::{Status, service};

#[service]
trait ConditionalService {
    #[cfg(debug_assertions)]
    async fn debug(&self) -> Result<u8, Status>;

    #[cfg_attr(debug_assertions, rpc(idempotent))]
    async fn get(&self, #[cfg(debug_assertions)] verbose: bool) -> Result<u8, Status>;
}

struct Conditional;

// What follows from the trait as it was written is no error besides.
impl ConditionalService for Conditional {
    #[cfg(debug_assertions)]
    async fn debug(&self) -> Result<u8, Status> {
        Ok(1)
    }

    async fn get(&self, #[cfg(debug_assertions)] verbose: bool) -> Result<u8, Status> {
        Ok(u8::from(verbose))
    }
}

fn main() {}
