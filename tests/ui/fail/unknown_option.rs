//! An option that does not exist is told with those that do.

use doge_rpc::{Status, service};

#[service(nmae = "hr.employee", group = "hr")]
trait EmployeeService {
    #[rpc(idempotant, priority = 3)]
    async fn get(&self, #[rpc(defualt)] id: u8, #[rpc(optional)] fields: u8) -> Result<u8, Status>;

    #[rpc(service::name = "all")]
    async fn list(&self) -> Result<u8, Status>;
}

fn main() {}
