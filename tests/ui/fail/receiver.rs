//! Methods take `&self`.

use doge_rpc::{Status, service};

#[service]
trait CounterService {
    async fn none(id: u8) -> Result<u8, Status>;
    async fn owned(self) -> Result<u8, Status>
    where
        Self: Sized;
    async fn exclusive(&mut self) -> Result<u8, Status>;
    async fn typed(self: std::sync::Arc<Self>) -> Result<u8, Status>;
    async fn with_lifetime(&'static self) -> Result<u8, Status>;
}

fn main() {}
