//! Names fit into a registry key and a route.

use doge_rpc::{Status, service};

#[service(name = "")]
trait EmptyService {}

#[service(name = "hr employee", version = "")]
trait SpaceService {}

#[service(name = "hr/employee")]
trait SlashService {
    #[rpc(name = "get\n")]
    async fn get(&self) -> Result<u8, Status>;
}

#[service(
    name = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
)]
trait LongService {}

fn main() {}
