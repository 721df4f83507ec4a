//! A service has methods, and nothing else.

use doge_rpc::{Status, service};

macro_rules! methods {
    () => {};
}

#[service]
trait StoreService {
    type Key;
    const LIMIT: usize;
    methods!();
    async fn get(&self) -> Result<u8, Status>;
}

#[service]
trait BodyService {
    async fn get(&self) -> Result<u8, Status> {
        Ok(1)
    }
}

struct Body;

// What follows from the trait as it was written is no error besides.
impl BodyService for Body {}

fn main() {
    let _client = BodyClient::local(Body);
}
