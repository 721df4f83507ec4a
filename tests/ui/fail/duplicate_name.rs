//! A wire name belongs to one method.

use doge_rpc::{Status, service};

#[service]
trait EmployeeService {
    async fn get(&self) -> Result<u8, Status>;

    #[rpc(name = "get")]
    async fn fetch(&self) -> Result<u8, Status>;

    #[rpc(name = "list")]
    async fn all(&self) -> Result<u8, Status>;

    async fn list(&self) -> Result<u8, Status>;
}

#[service]
trait TwiceService {
    async fn get(&self) -> Result<u8, Status>;
    async fn get(&self, id: u8) -> Result<u8, Status>;
}

fn main() {}
