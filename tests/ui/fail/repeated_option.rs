//! An option is given once.

use doge_rpc::{Status, service};

#[service(name = "hr.employee", version = "1", name = "hr.employees")]
trait EmployeeService {
    #[rpc(idempotent, timeout = "1s", idempotent)]
    #[rpc(timeout = "2s")]
    async fn get(&self, #[rpc(default, default = "one")] id: u8) -> Result<u8, Status>;
}

fn main() {}
