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

#[service(name = ".hr.employee", version = ".1")]
trait DotService {}

#[service(name = "hr:employee", version = "1+2")]
trait PunctuationService {}

#[service(name = "prüfung", version = "一")]
trait UnicodeService {}

#[service(
    name = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
    version = "111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
)]
trait LongService {
    #[rpc(
        name = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
    )]
    async fn get(&self) -> Result<u8, Status>;
}

#[service]
trait Prüfung {}

#[service]
trait NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN
{
}

fn main() {}
