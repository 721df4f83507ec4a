use std::sync::{Arc, Mutex};

use doge_rpc::{
    prelude::*,
    server::{Running, Server},
};
use rmpv::Value;

/// Gives back what it gets, and keeps a copy.
#[service(name = "test")]
trait Echo {
    #[rpc(timeout = "30s")]
    async fn echo(&self, value: Value) -> Result<Value, Status>;
}

#[derive(Clone, Default)]
pub(crate) struct Recorder {
    got: Arc<Mutex<Vec<Value>>>,
}

impl Recorder {
    /// A server of ours.
    pub(crate) async fn serve(&self) -> Running {
        let server = Server::builder().add(EchoServer::new(self.clone()));
        server.start("tcp://127.0.0.1:0").await.unwrap()
    }

    /// All that it got since it was asked last.
    pub(crate) fn take(&self) -> Vec<Value> {
        std::mem::take(&mut self.got.lock().unwrap())
    }
}

impl Echo for Recorder {
    async fn echo(&self, value: Value) -> Result<Value, Status> {
        self.got.lock().unwrap().push(value.clone());
        Ok(value)
    }
}
