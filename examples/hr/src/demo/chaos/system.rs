use std::{env, fmt, path::Path, rc::Rc, sync::Arc, time::Duration};

use doge_rpc::{
    client::{Cluster, ClusterError},
    registry::{self, File, Registry},
};
use futures_util::future::{join_all, try_join_all};

use super::{
    ChaosError, Settings,
    replica::{Launch, Replica},
};
use crate::{
    calling::{Calling, patiently},
    demo::DemoError,
    employee::EmployeeClient,
    leave::LeaveClient,
    onboarding::OnboardingClient,
};

/// The processes, and the registry that knows them.
pub(super) struct System {
    registry: Arc<dyn Registry>,
    group: String,
    /// Those who are called before those who call them.
    services: [Vec<Replica>; 3],
}

/// What calls them.
pub(super) struct Clients {
    pub(super) employees: EmployeeClient,
    pub(super) leave: LeaveClient,
    pub(super) onboarding: OnboardingClient,
    /// By service, as replicas are named.
    pub(super) clusters: [(&'static str, Cluster); 3],
}

pub(super) const EMPLOYEE: &str = "employee";
pub(super) const LEAVE: &str = "leave";
pub(super) const ONBOARDING: &str = "onboarding";

/// How long one that was killed stays in a folder of the demo's own.
const TTL_SECONDS: u16 = 2;

impl System {
    pub(super) fn new(settings: &Settings, folder: &Path) -> Result<Self, DemoError> {
        std::fs::create_dir_all(folder)?;
        // Whoever else is in the registry, a demo before this one included, has no part in it.
        let group = format!("demo-{:08x}", fastrand::u32(..));
        let (registry, url, ttl) = open(settings, folder)?;
        let launch = Rc::new(Launch {
            program: env::current_exe()?,
            folder: folder.to_owned(),
            registry: url,
            group: group.clone(),
            ttl,
        });
        let replicas = |service, count| {
            let numbers = 1..=count;
            numbers
                .map(|number| Replica::new(service, number, &launch))
                .collect()
        };
        let callers = settings.replicas.saturating_sub(1).max(2);
        Ok(Self {
            registry,
            group,
            services: [
                replicas(EMPLOYEE, settings.replicas),
                replicas(LEAVE, settings.replicas),
                replicas(ONBOARDING, callers),
            ],
        })
    }

    /// Starts all replicas, and waits until they serve.
    pub(super) async fn start(&mut self) -> Result<(), ChaosError> {
        for replicas in &mut self.services {
            try_join_all(replicas.iter_mut().map(Replica::start)).await?;
        }
        Ok(())
    }

    pub(super) async fn clients(&self) -> Result<Clients, ClusterError> {
        let calling = Calling::new(&self.registry, &self.group);
        let employees = calling.cluster(EmployeeClient::cluster()).await?;
        let leave = calling.cluster(LeaveClient::cluster()).await?;
        let onboarding = calling.cluster(OnboardingClient::cluster()).await?;
        Ok(Clients {
            employees: EmployeeClient::new(patiently(employees.clone())),
            leave: LeaveClient::new(patiently(leave.clone())),
            onboarding: OnboardingClient::new(patiently(onboarding.clone())),
            clusters: [
                (EMPLOYEE, employees),
                (LEAVE, leave),
                (ONBOARDING, onboarding),
            ],
        })
    }

    /// The replicas of each service.
    pub(super) fn services(&mut self) -> impl Iterator<Item = &mut [Replica]> {
        self.services.iter_mut().map(Vec::as_mut_slice)
    }

    /// Asks all replicas to end, and waits until they have; those who call go before those whom they call.
    pub(super) async fn stop(&mut self) -> Result<(), ChaosError> {
        for replicas in self.services.iter_mut().rev() {
            try_join_all(replicas.iter_mut().map(Replica::drain)).await?;
        }
        Ok(())
    }

    /// Sees to it that no process is left.
    pub(super) async fn kill(&mut self) {
        join_all(self.services.iter_mut().flatten().map(Replica::remove)).await;
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.services.iter().flatten();
        let names: Vec<_> = all.map(Replica::name).collect();
        f.write_str(&names.join(", "))
    }
}

type Opened = (Arc<dyn Registry>, String, Option<u16>);

fn open(settings: &Settings, folder: &Path) -> Result<Opened, ChaosError> {
    if let Some(url) = &settings.registry {
        return Ok((registry::open(url)?, url.clone(), None));
    }
    let folder = folder.join("registry");
    let url = format!("file:{}", folder.display());
    let ttl = Duration::from_secs(TTL_SECONDS.into());
    let registry = File::builder(folder).ttl(ttl).build();
    Ok((Arc::new(registry), url, Some(TTL_SECONDS)))
}
