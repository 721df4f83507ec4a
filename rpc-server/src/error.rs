use std::io;

use doge_registry::RegistryError;
use doge_rpc_core::transport::{Address, AddressError};
use thiserror::Error;

/// Why a server does not start. Nothing is left behind: no socket, no registration.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The text is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The system does not let us listen there.
    #[error("cannot listen at {address}: {source}")]
    Bind {
        /// Where.
        address: Address,
        /// Why.
        source: io::Error,
    },
    /// A socket that was handed over cannot be used.
    #[error("cannot listen on the socket: {0}")]
    Socket(io::Error),
    /// There is no address and no socket to listen on.
    #[error("nothing to listen on: give an address such as tcp://0.0.0.0:4399, or a bound socket")]
    NowhereToListen,
    /// Two services have the same name on the wire.
    #[error(
        "two services are called {0:?}; give one of them another name with #[service(name = \"...\")]"
    )]
    DuplicateService(&'static str),
    /// The service that a method alone should reach is not among those that were added.
    #[error(
        "the default service {0:?} of MessagePack-RPC is not served here; add it, or name one that is"
    )]
    UnknownDefaultService(String),
    /// The address says that MessagePack-RPC is spoken, in which a method alone is one of the default service.
    #[error(
        "cannot register {service} at {address}: clients may call methods there by their names alone, which are those of another service, or MessagePack-RPC is off; advertise a tcp:// address, give the service a port of its own, or make it the default one with msgpack_rpc::Options::default_service"
    )]
    NotDefaultService {
        /// The service.
        service: String,
        /// Where it was to be registered.
        address: Address,
    },
    /// The registry did not take the registration.
    #[error("cannot register {service}: {source}")]
    Register {
        /// The service.
        service: &'static str,
        /// Why.
        source: RegistryError,
    },
    /// The system does not let us hear of being asked to stop.
    #[error("cannot listen to signals: {0}")]
    Signal(io::Error),
    /// Others cannot connect to the address that the server listens at.
    #[error(
        "{0} is every address of this host, or has no port, so others cannot connect to it: say where they can with `Advertise::address`"
    )]
    Unspecified(Address),
}
