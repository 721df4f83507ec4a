//! Only a trait can be a service.

use doge_rpc::service;

#[service]
struct Employees;

#[service]
impl Employees {
    fn count(&self) -> u32 {
        1
    }
}

#[service]
async fn count() -> u32 {
    1
}

fn main() {
    let _employees: u32 = Employees.count();
    let _count = count();
}
