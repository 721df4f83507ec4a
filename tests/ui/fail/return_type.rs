//! Methods return `Result<T, E>`.

use doge_rpc::{Status, service};

#[service]
trait EmployeeService {
    async fn nothing(&self);
    async fn bare(&self, id: u8) -> Option<u8>;
    async fn alias(&self) -> std::io::Result<u8>;
    async fn right(&self) -> Result<u8, Status>;
}

fn main() {}
