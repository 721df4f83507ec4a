use std::{fmt, path::Path, sync::Arc};

use doge_rpc::{
    Server,
    call::Serve,
    registry::{File, Registry},
    server::{Running, StartError},
};

use super::DemoError;
use crate::{
    employee::{EmployeeClient, EmployeeServer, Employees},
    leave::{Leave, LeaveClient, LeaveServer},
    onboarding::{Onboarding, OnboardingClient, OnboardingServer},
};

/// Three servers and the registry that knows them, as they would run on three machines.
pub(super) struct Deployment {
    registry: Arc<dyn Registry>,
    employees: Employees,
    leave: Leave,
    servers: Vec<(&'static str, Running)>,
}

/// What calls them.
pub(super) struct Clients {
    pub(super) employees: EmployeeClient,
    pub(super) leave: LeaveClient,
    pub(super) onboarding: OnboardingClient,
}

impl Deployment {
    pub(super) async fn start(folder: &Path) -> Result<Self, DemoError> {
        let registry: Arc<dyn Registry> = Arc::new(File::new(folder.join("registry")));
        let employees = Employees::open(folder).await?;
        let leave = Leave::open(folder).await?;
        let mut servers = vec![
            start(EmployeeServer::new(employees.clone()), &registry).await?,
            start(LeaveServer::new(leave.clone()), &registry).await?,
        ];
        // Those who call start after those whom they call.
        let onboarding = Onboarding::new(
            EmployeeClient::connect_via(&registry).await?,
            LeaveClient::connect_via(&registry).await?,
        );
        servers.push(start(OnboardingServer::new(onboarding), &registry).await?);
        Ok(Self {
            registry,
            employees,
            leave,
            servers,
        })
    }

    /// Clients that know the registry, and no address.
    pub(super) async fn clients(&self) -> Result<Clients, DemoError> {
        Ok(Clients {
            employees: EmployeeClient::connect_via(&self.registry).await?,
            leave: LeaveClient::connect_via(&self.registry).await?,
            onboarding: OnboardingClient::connect_via(&self.registry).await?,
        })
    }

    /// Lets what runs finish; those who call go before those whom they call.
    pub(super) async fn stop(self) {
        for (_, server) in self.servers.into_iter().rev() {
            server.drain().await;
        }
        self.employees.close().await;
        self.leave.close().await;
    }
}

impl fmt::Display for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (service, server) in &self.servers {
            writeln!(f, "{service} at {}", server.address())?;
        }
        Ok(())
    }
}

async fn start(
    service: impl Serve,
    registry: &Arc<dyn Registry>,
) -> Result<(&'static str, Running), StartError> {
    let name = service.schema().name();
    let server = Server::builder().add(service).registry(registry);
    Ok((name, server.start("tcp://127.0.0.1:0").await?))
}
