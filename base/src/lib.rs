//! What the crates of doge-rpc share: [addresses](Address), the [environment](Env) that clock and chance come from, and
//! [backoff](Backoff). Nothing here does any I/O.

mod address;
mod backoff;
mod env;
mod host_port;

pub use self::{
    address::{Address, AddressError, Dialect, IntoAddress, Location},
    backoff::{Backoff, Pauses},
    env::Env,
    host_port::{HostPort, HostPortError},
};
