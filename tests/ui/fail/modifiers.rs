//! Methods are `async`, and nothing else.

use std::future::Future;

use doge_rpc::{Status, service};

#[service]
trait CounterService {
    fn plain(&self) -> Result<u8, Status>;
    fn spelled_out(&self) -> impl Future<Output = Result<u8, Status>> + Send;
    async unsafe fn dangerous(&self) -> Result<u8, Status>;
    async extern "C" fn foreign(&self) -> Result<u8, Status>;
}

#[service]
unsafe trait DangerousService {
    async fn get(&self) -> Result<u8, Status>;
}

struct Counter;

// What follows from the trait as it was written is no error besides.
impl CounterService for Counter {
    fn plain(&self) -> Result<u8, Status> {
        Ok(1)
    }

    async fn spelled_out(&self) -> Result<u8, Status> {
        Ok(1)
    }

    async unsafe fn dangerous(&self) -> Result<u8, Status> {
        Ok(1)
    }

    async extern "C" fn foreign(&self) -> Result<u8, Status> {
        Ok(1)
    }
}

fn main() {
    let client = CounterClient::local(Counter);
    let _result = client.plain();
}
