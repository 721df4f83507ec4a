use std::{path::PathBuf, sync::Arc};

use clap::Args;
use doge_rpc::{
    registry::{self, Registry, ServiceKey},
    schema::ServiceSchema,
};

use super::Failure;
use crate::{
    calling::Calling,
    employee::{EmployeeClient, Employees},
    leave::{Leave, LeaveClient},
};

pub(super) const DEFAULT_DATA: &str = "hr-data";
pub(super) const DEFAULT_GROUP: &str = "default";

/// Where the services are that a command uses.
#[derive(Args, Debug)]
pub(super) struct Place {
    /// Call the services registered here instead, for example file:hr-registry
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    registry: Option<String>,
    /// Those of this group
    #[arg(long, value_name = "NAME", default_value = DEFAULT_GROUP, requires = "registry")]
    group: String,
    /// Folder of the databases
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    data: PathBuf,
}

/// A service in this process, or a client of one elsewhere: the same trait, two lives.
pub(super) enum Found<S, C> {
    Here(S),
    There(C),
}

impl Place {
    pub(super) async fn employees(&self) -> Result<Found<Employees, EmployeeClient>, Failure> {
        let Some(url) = &self.registry else {
            return Ok(Found::Here(Employees::open(&self.data).await?));
        };
        let registry = shared_registry(url)?;
        self.check_presence(&registry, url, EmployeeClient::schema(), "employee")
            .await?;
        let calling = Calling::new(&registry, &self.group);
        let cluster = calling.cluster(EmployeeClient::cluster()).await?;
        Ok(Found::There(EmployeeClient::new(cluster)))
    }

    pub(super) async fn leave(&self) -> Result<Found<Leave, LeaveClient>, Failure> {
        let Some(url) = &self.registry else {
            return Ok(Found::Here(Leave::open(&self.data).await?));
        };
        let registry = shared_registry(url)?;
        self.check_presence(&registry, url, LeaveClient::schema(), "leave")
            .await?;
        let calling = Calling::new(&registry, &self.group);
        let cluster = calling.cluster(LeaveClient::cluster()).await?;
        Ok(Found::There(LeaveClient::new(cluster)))
    }

    /// Tells somebody who forgot to start a service so, and how, before a call fails.
    async fn check_presence(
        &self,
        registry: &Arc<dyn Registry>,
        url: &str,
        schema: &ServiceSchema,
        name: &'static str,
    ) -> Result<(), Failure> {
        let service = ServiceKey::new(schema.name())
            .with_version(schema.version())
            .with_group(&self.group);
        if registry.watch(service.clone()).await?.snapshot().is_empty() {
            let registry = url.to_owned();
            return Err(Failure::NoInstance {
                registry,
                service,
                name,
            });
        }
        Ok(())
    }
}

/// A registry that other processes see too.
pub(super) fn shared_registry(url: &str) -> Result<Arc<dyn Registry>, Failure> {
    let has_etcd = cfg!(feature = "etcd");
    if !has_etcd && (url.starts_with("etcd:") || url.starts_with("etcds:")) {
        return Err(Failure::WithoutEtcd);
    }
    match registry::open(url)? {
        _ if url.starts_with("memory:") => Err(Failure::PrivateRegistry),
        registry => Ok(registry),
    }
}
