//! A timeout is a duration, and more than nothing.

use doge_rpc::{Status, service};

#[service]
trait TimeoutService {
    #[rpc(timeout = "300")]
    async fn without_unit(&self) -> Result<u8, Status>;

    #[rpc(timeout = "5 minutes")]
    async fn in_words(&self) -> Result<u8, Status>;

    #[rpc(timeout = "1.5s")]
    async fn fraction(&self) -> Result<u8, Status>;

    #[rpc(timeout = "99999999999999999999s")]
    async fn for_ever(&self) -> Result<u8, Status>;

    #[rpc(timeout = "0ms")]
    async fn zero(&self) -> Result<u8, Status>;
}

fn main() {}
