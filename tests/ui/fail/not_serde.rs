//! What travels is serde, and an error has a place for a status: an unfit type is told where it stands.

use doge_rpc::{Status, service};

#[derive(Default)]
struct Employee;

#[derive(serde::Serialize, serde::Deserialize)]
struct NoStatus;

#[service]
trait ResultService {
    async fn get(&self, id: u64) -> Result<Employee, Status>;
}

#[service]
trait ArgumentService {
    async fn put(&self, id: u64, employees: Vec<Employee>) -> Result<(), Status>;
}

#[service]
trait ErrorService {
    async fn fail(&self) -> Result<(), NoStatus>;
}

#[service]
trait DefaultService {
    async fn find(
        &self,
        #[rpc(default)] name: Box<str>,
        #[rpc(default)] status: NoStatus,
    ) -> Result<(), Status>;
}

fn main() {}
