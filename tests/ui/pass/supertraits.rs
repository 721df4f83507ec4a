//! A trait keeps its supertraits, its attributes and its generics-free world; a client can be given what they ask.

use std::{fmt::Debug, sync::Arc};

use doge_rpc::{Status, service};

trait Named {
    fn name(&self) -> String {
        "somebody".to_owned()
    }
}

#[service]
#[allow(clippy::needless_lifetimes)]
trait GreeterService: Named + Debug + Sync {
    #[must_use = "a greeting is for somebody"]
    async fn greet(&self) -> Result<String, Status>;
}

impl Named for GreeterClient {}

impl<T: Named> Named for Arc<T> {
    fn name(&self) -> String {
        (**self).name()
    }
}

#[derive(Debug)]
struct Polite;

impl Named for Polite {}

impl GreeterService for Polite {
    async fn greet(&self) -> Result<String, Status> {
        Ok(format!("hello, {}", self.name()))
    }
}

#[tokio::main]
async fn main() {
    let greeter = Arc::new(Polite);
    let server = GreeterServer::from_arc(Arc::clone(&greeter));
    assert_eq!(format!("{server:?}"), "GreeterServer { .. }");
    let client = GreeterClient::local(greeter);
    assert_eq!(
        client.clone().greet().await.ok().as_deref(),
        Some("hello, somebody")
    );
    let spawned = tokio::spawn(async move { client.greet().await });
    assert!(spawned.await.is_ok());
}
