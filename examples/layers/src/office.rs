use std::{sync::Arc, time::Duration};

use doge_rpc::{
    client::{Balancing, ClusterBuilder, LoadBalancing},
    prelude::*,
    registry::Memory,
    server::Running,
};

use crate::{
    Result,
    printer::{PrinterClient, PrinterServer, Tray},
};

/// Two printers, and the registry that has them.
pub(crate) struct Office {
    registry: Arc<dyn Registry>,
    printers: Vec<(Tray, Running)>,
}

impl Office {
    pub(crate) async fn open() -> Result<Self> {
        let registry: Arc<dyn Registry> = Arc::new(Memory::new());
        let mut printers = Vec::new();
        for name in ["upstairs", "downstairs"] {
            let tray = Tray::new(name);
            let server = Server::builder().add(PrinterServer::new(tray.clone()));
            let server = server
                .registry(&registry)
                .start("tcp://127.0.0.1:0")
                .await?;
            printers.push((tray, server));
        }
        Ok(Self { registry, printers })
    }

    /// The client's side, to be told what its calls go through; otherwise each printer in turn.
    pub(crate) fn printers(&self) -> ClusterBuilder {
        let balancing = Balancing {
            policy: LoadBalancing::RoundRobin,
            ..Balancing::default()
        };
        PrinterClient::cluster()
            .registry(&self.registry)
            .balancing(balancing)
    }

    /// A client that would wait for long.
    pub(crate) async fn client(printers: ClusterBuilder) -> Result<PrinterClient> {
        let client = PrinterClient::new(printers.follow().await?);
        let patient = CallOptions::new().timeout(Duration::from_secs(30));
        Ok(client.with(patient))
    }

    /// The most payslips at once, of all printers together and of one of them, since this was last asked.
    pub(crate) fn take_most(&self) -> usize {
        let most = self.printers.iter().map(|(tray, _)| tray.take_most());
        most.max().unwrap_or_default()
    }

    pub(crate) async fn close(self) {
        for (_, server) in self.printers {
            server.drain().await;
        }
    }
}
