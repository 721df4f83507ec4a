//! Arguments and results own what they hold.

use std::borrow::Cow;

use doge_rpc::{Status, service};

#[service]
trait BorrowService {
    async fn text(&self, name: &str) -> Result<&str, Status>;
    async fn bytes(&self, bytes: &[u8]) -> Result<(), Status>;
    async fn value(&self, ids: Vec<&u8>) -> Result<(), &'static str>;
    async fn cow(&self, name: Cow<'_, str>) -> Result<Cow<'static, str>, Status>;
    async fn own(&self, other: Self) -> Result<(), Status>
    where
        Self: Sized;
}

struct Borrower;

impl Borrower {
    fn used(client: &BorrowClient) {
        let _result = client.bytes(&[1]);
    }
}

fn main() {}
