//! What bytes travel over: TCP, Unix sockets, and pipes inside the process for tests.

mod address;
mod listener;
pub mod memory;
mod stream;

pub use self::{
    address::{Address, AddressError, IntoAddress},
    listener::Listener,
    stream::{ReadHalf, Stream, WriteHalf},
};
