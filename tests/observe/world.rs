use doge_rpc::server::{Builder, Running};

use crate::{
    common::patient,
    recorder::Recorder,
    subject::{Handlers, SubjectClient},
};

/// A server of the subject, whose handlers note their calls and whose observer records its events.
pub(crate) struct World {
    pub(crate) handlers: Handlers,
    pub(crate) recorder: Recorder,
    pub(crate) server: Running,
}

impl World {
    /// A server with the default configuration, on TCP.
    pub(crate) async fn new() -> Self {
        Self::with(|server| server).await
    }

    /// A server with this configuration, on TCP.
    pub(crate) async fn with(configure: impl FnOnce(Builder) -> Builder) -> Self {
        Self::at("tcp://127.0.0.1:0", configure).await
    }

    /// A server with this configuration, at this address.
    pub(crate) async fn at(address: &str, configure: impl FnOnce(Builder) -> Builder) -> Self {
        let (handlers, recorder) = (Handlers::default(), Recorder::default());
        let server = configure(handlers.server(&recorder));
        Self {
            server: server.start(address).await.unwrap(),
            handlers,
            recorder,
        }
    }

    /// A client of the server, with time for each call.
    pub(crate) fn client(&self) -> SubjectClient {
        client_of(&self.server)
    }
}

/// A client of this server, with time for each call.
pub(crate) fn client_of(server: &Running) -> SubjectClient {
    let client = SubjectClient::connect(server.address()).unwrap();
    client.with(patient())
}
