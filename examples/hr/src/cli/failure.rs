use std::io;

use doge_rpc::{
    client::ClusterError,
    registry::{OpenError as InvalidRegistry, RegistryError, ServiceKey},
    server::{Interrupted, StartError},
    transport::{Address, AddressError},
};
use thiserror::Error;

use crate::{
    OpenError, demo::DemoError, employee::EmployeeError, import::ImportError, leave::LeaveError,
};

/// Why a command ends with an exit code other than 0.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("--advertise: {0}")]
    Advertise(AddressError),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Employee(#[from] EmployeeError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error(transparent)]
    InvalidRegistry(#[from] InvalidRegistry),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("--listen: {0}")]
    Listen(AddressError),
    #[error(transparent)]
    Leave(#[from] LeaveError),
    #[error(
        "{registry} has no instance of {service}; start one with: hr serve {name} --registry {registry}"
    )]
    NoInstance {
        registry: String,
        service: ServiceKey,
        name: &'static str,
    },
    #[error("not one row could be used; nothing was imported")]
    NoRow,
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("memory: is a registry of one process, which others cannot look into; use file:DIR")]
    PrivateRegistry,
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Start(StartError),
    #[error("{0} cannot be used; nothing was imported, as --strict says")]
    Strict(String),
    #[error("--ttl is for a file: registry; where another one has a time to live, its URL says so")]
    Ttl,
    #[error(
        "others cannot connect to {0}, which is every address of this host or has no port; \
         say where they can with --advertise tcp://HOST:PORT"
    )]
    Unspecified(Address),
    #[error(
        "this hr was built without etcd: use file:DIR, or build it with: cargo build -p hr --features etcd"
    )]
    WithoutEtcd,
    #[error(
        "{rows} people are more than the {most} that one call carries; \
         import the file where the database is, with --data, or in parts"
    )]
    TooManyRows { rows: usize, most: usize },
}

/// In the words of the command line.
impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Address(error) => Self::Listen(error),
            StartError::Unspecified(address) => Self::Unspecified(address),
            other => Self::Start(other),
        }
    }
}

impl Failure {
    /// Whether whoever reads the output has stopped reading.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
