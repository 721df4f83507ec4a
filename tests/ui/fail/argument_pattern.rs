//! An argument has a plain name.

use doge_rpc::{Status, service};

#[service]
trait PatternService {
    async fn tuple(&self, (left, right): (u8, u8)) -> Result<u8, Status>;
    async fn nameless(&self, _: u8) -> Result<u8, Status>;
    async fn mutable(&self, mut count: u8) -> Result<u8, Status>;
    async fn bound(&self, whole @ 1..: u8) -> Result<u8, Status>;
}

struct Patterns;

// What follows from the trait as it was written is no error besides.
impl PatternService for Patterns {
    async fn tuple(&self, (left, right): (u8, u8)) -> Result<u8, Status> {
        Ok(left + right)
    }

    async fn nameless(&self, _: u8) -> Result<u8, Status> {
        Ok(1)
    }

    async fn mutable(&self, mut count: u8) -> Result<u8, Status> {
        count += 1;
        Ok(count)
    }

    async fn bound(&self, whole: u8) -> Result<u8, Status> {
        Ok(whole)
    }
}

fn main() {
    let client = PatternClient::local(Patterns);
    let _result = client.tuple((1, 2));
}
