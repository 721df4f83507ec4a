//! Arguments with a default come last.

use doge_rpc::{Status, service};

#[service]
trait ListService {
    async fn list(
        &self,
        after: u64,
        #[rpc(default)] limit: u32,
        filter: String,
        sort: u8,
    ) -> Result<u8, Status>;
}

fn main() {}
