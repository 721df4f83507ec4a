//! More attempts than one are for idempotent methods only, and within bounds.

use doge_rpc::{Status, service};

#[service]
trait AttemptsService {
    #[rpc(retries = 3)]
    async fn retried(&self) -> Result<u8, Status>;

    #[rpc(timeout = "1s", hedge = "p95")]
    async fn hedged(&self) -> Result<u8, Status>;

    #[rpc(idempotent, retries = 100)]
    async fn storm(&self) -> Result<u8, Status>;

    #[rpc(idempotent, retries = -1)]
    async fn negative(&self) -> Result<u8, Status>;

    #[rpc(idempotent, hedge = "20")]
    async fn without_unit(&self) -> Result<u8, Status>;

    #[rpc(idempotent, hedge = "p0")]
    async fn before_all(&self) -> Result<u8, Status>;

    #[rpc(idempotent, hedge = "p100")]
    async fn after_all(&self) -> Result<u8, Status>;

    #[rpc(idempotent, hedge = "0ms")]
    async fn at_once(&self) -> Result<u8, Status>;

    #[rpc(idempotent, hedge = "1s", timeout = "300ms")]
    async fn too_late(&self) -> Result<u8, Status>;

    #[rpc(idempotent, hedge = "2s")]
    async fn after_the_default(&self) -> Result<u8, Status>;

    #[rpc(idempotent, hedge = "2s", timeout = "soon")]
    async fn one_error(&self) -> Result<u8, Status>;
}

fn main() {}
