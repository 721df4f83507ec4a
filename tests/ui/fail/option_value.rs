//! An option has the value that it takes.

use doge_rpc::{Status, service};

#[service(name, version = 1, crate = "doge rpc")]
trait OptionsService {
    #[rpc(idempotent = true, timeout = 300, encoding = "json", name(get), retries = "3", hedge = 20)]
    async fn get(
        &self,
        #[rpc(default = 1)] one: u8,
        #[rpc(default = "1 + 1")] two: u8,
    ) -> Result<u8, Status>;

    #[rpc]
    async fn alone(&self) -> Result<u8, Status>;

    #[rpc("idempotent")]
    async fn quoted(&self) -> Result<u8, Status>;
}

#[service("hr.employee")]
trait QuotedService {}

#[service]
#[rpc(idempotent)]
trait MisplacedService {}

fn main() {}
