//! A server and its client in one file. `cargo run -p hello`
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use doge_rpc::prelude::*;

#[service]
trait Hello {
    async fn hello(&self, name: String) -> Result<String, Status>;
}

struct Greeter;

impl Hello for Greeter {
    async fn hello(&self, name: String) -> Result<String, Status> {
        Ok(format!("Hello, {name}!"))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::builder().add(HelloServer::new(Greeter));
    let server = server.start("tcp://127.0.0.1:0").await?;
    let client = HelloClient::connect(server.address())?;
    println!("{}", client.hello("doge".into()).await?);
    server.drain().await;
    Ok(())
}
