//! Values as MessagePack: what a body holds.
//!
//! Writing goes into a buffer of the thread that is handed out in slices, so that a small body costs no allocation
//! and no lock is held while a user's `Serialize` runs. Reading checks first that a body does not claim more
//! elements than its bytes can hold, and limits nesting.

mod arguments;
mod decode;
mod encode;
mod recycled;
mod scan;

pub use self::{
    arguments::Arguments,
    decode::{DecodeError, decode},
    encode::{EncodeError, encode},
    scan::{MAX_DEPTH, MAX_ELEMENTS},
};
pub(crate) use self::{
    arguments::{array, raw_argument},
    encode::BY_REFERENCE,
    scan::{Item, value_len},
};
