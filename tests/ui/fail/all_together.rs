//! All errors of a trait are told at once, and what uses it has none besides.

use doge_rpc::service;

#[derive(Debug)]
struct Status;

#[service(verison = "1")]
pub trait EmployeeService: std::fmt::Debug {
    #[rpc(timeout = "soon")]
    async fn get(&self, id: &u64) -> Result<String, Status>;

    fn hire(&mut self, (name, salary): (String, u32)) -> Result<u64, Status>;

    async fn count(&self) -> u64;

    async fn fire<T: Send>(&self, id: T) -> Result<(), Status>;
}

#[derive(Debug)]
struct Employees;

impl EmployeeService for Employees {
    async fn get(&self, id: &u64) -> Result<String, Status> {
        Ok(id.to_string())
    }

    fn hire(&mut self, (_name, _salary): (String, u32)) -> Result<u64, Status> {
        Ok(1)
    }

    async fn count(&self) -> u64 {
        1
    }

    async fn fire<T: Send>(&self, _: T) -> Result<(), Status> {
        Ok(())
    }
}

fn serve() -> EmployeeServer<Employees> {
    EmployeeServer::new(Employees)
}

async fn call(client: &EmployeeClient) -> u64 {
    client.fire("you").await.unwrap();
    client.count().await
}

fn main() {
    let _server = serve();
    let client = EmployeeClient::connect("tcp://127.0.0.1:4399").unwrap();
    let _called = call(&client);
}
