use std::{io, path::PathBuf, process, thread};

use clap::{Args, ValueEnum};
use doge_rpc::{
    Server,
    server::{Builder, Interrupted, StopSignal},
};

use super::{Console, Failure, place::DEFAULT_DATA, presence::Presence};
use crate::{
    calling::{Calling, patiently},
    employee::{EmployeeClient, EmployeeServer, Employees},
    leave::{Leave, LeaveClient, LeaveServer},
    onboarding::{Onboarding, OnboardingClient, OnboardingServer},
};

/// Serve one or more services until SIGTERM or Ctrl-C, then finish what runs and end
///
/// Onboarding takes the services that it needs from this process where they are served in it, and from the registry
/// otherwise. Of employee and leave there can be several, over the same data folder.
#[derive(Args, Debug)]
pub(super) struct Serve {
    /// What to serve
    #[arg(required = true, value_name = "SERVICE")]
    services: Vec<Service>,
    #[command(flatten)]
    presence: Presence,
    /// Folder of the databases
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DATA)]
    data: PathBuf,
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "ADDRESS", default_value = "tcp://127.0.0.1:0")]
    listen: String,
    /// End at once when the standard input does: whoever started this is gone then
    #[arg(long, hide = true)]
    until_eof: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Service {
    Employee,
    Leave,
    Onboarding,
}

impl Serve {
    pub(super) async fn run(self, console: &mut Console) -> Result<(), Failure> {
        let mut stop = StopSignal::listen()?;
        if self.until_eof {
            end_at_eof()?;
        }
        let registry = self.presence.registry()?;
        let mut server = Server::builder().registry_as(&registry, self.presence.advertise()?);
        let mut parts = Parts::default();
        if self.has(Service::Employee) {
            server = parts.add_employees(server, Employees::open(&self.data).await?);
        }
        if self.has(Service::Leave) {
            server = parts.add_leave(server, Leave::open(&self.data).await?);
        }
        if self.has(Service::Onboarding) {
            let calling = self.presence.calling(&registry);
            server = parts.add_onboarding(server, &calling).await?;
        }
        let running = tokio::select! {
            running = server.start(&self.listen) => running?,
            () = stop.received() => return Ok(()),
        };
        for service in &self.services {
            let (name, address) = (service.wire_name(), running.address());
            // Nobody has to listen to this for the services to be there.
            let _ = console.line(format_args!("{name} at {address}"));
        }
        running.until_signal(&mut stop).await?;
        tokio::select! {
            () = parts.close() => Ok(()),
            () = stop.received() => Err(Interrupted.into()),
        }
    }

    fn has(&self, service: Service) -> bool {
        self.services.contains(&service)
    }
}

/// In a thread that nothing waits for, as reading from the standard input cannot be given up.
fn end_at_eof() -> io::Result<()> {
    let thread = thread::Builder::new().name("until-eof".to_owned());
    thread.spawn(|| {
        // An input that cannot be read has ended as well.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        // Not a drain: those that a drain would wait for have lost whoever started them too.
        process::exit(1);
    })?;
    Ok(())
}

impl Service {
    fn wire_name(self) -> &'static str {
        match self {
            Self::Employee => EmployeeClient::schema().name(),
            Self::Leave => LeaveClient::schema().name(),
            Self::Onboarding => OnboardingClient::schema().name(),
        }
    }
}

/// What runs in this process.
#[derive(Default)]
struct Parts {
    employees: Option<Employees>,
    leave: Option<Leave>,
    onboarding: Option<Onboarding<EmployeeClient, LeaveClient>>,
}

impl Parts {
    fn add_employees(&mut self, server: Builder, employees: Employees) -> Builder {
        self.employees = Some(employees.clone());
        server.add(EmployeeServer::new(employees))
    }

    fn add_leave(&mut self, server: Builder, leave: Leave) -> Builder {
        self.leave = Some(leave.clone());
        server.add(LeaveServer::new(leave))
    }

    async fn add_onboarding(
        &mut self,
        server: Builder,
        calling: &Calling,
    ) -> Result<Builder, Failure> {
        // While an instance restarts, an onboarding waits for another one rather than undo what it did.
        let employees = match &self.employees {
            Some(employees) => EmployeeClient::local(employees.clone()),
            None => {
                let cluster = calling.cluster(EmployeeClient::cluster()).await?;
                EmployeeClient::new(patiently(cluster))
            }
        };
        let leave = match &self.leave {
            Some(leave) => LeaveClient::local(leave.clone()),
            None => {
                let cluster = calling.cluster(LeaveClient::cluster()).await?;
                LeaveClient::new(patiently(cluster))
            }
        };
        let onboarding = Onboarding::new(employees, leave);
        self.onboarding = Some(onboarding.clone());
        Ok(server.add(OnboardingServer::new(onboarding)))
    }

    /// Lets onboardings come to their end, and then closes the databases that they may need.
    async fn close(self) {
        if let Some(onboarding) = self.onboarding {
            onboarding.settled().await;
        }
        if let Some(employees) = self.employees {
            employees.close().await;
        }
        if let Some(leave) = self.leave {
            leave.close().await;
        }
    }
}
