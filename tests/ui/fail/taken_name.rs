//! A method cannot hide behind one that the client has itself.

use doge_rpc::{Status, service};

#[service]
trait TakenService {
    async fn new(&self) -> Result<u8, Status>;
    async fn connect(&self) -> Result<u8, Status>;
    async fn connect_via(&self) -> Result<u8, Status>;
    async fn local(&self) -> Result<u8, Status>;
    async fn with(&self) -> Result<u8, Status>;
    async fn schema(&self) -> Result<u8, Status>;
    async fn clone(&self) -> Result<u8, Status>;
    async fn to_owned(&self) -> Result<u8, Status>;
    async fn into(&self) -> Result<u8, Status>;
    async fn try_into(&self) -> Result<u8, Status>;
}

fn main() {}
