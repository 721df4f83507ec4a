//! Values as MessagePack: what a body holds.
//!
//! Writing goes into a buffer of the thread that is handed out in slices, so that a small body costs no allocation
//! and no lock is held while a user's `Serialize` runs. Nothing is made room for that is announced and cannot be there.
//! Writers and readers keep the same limits of elements and nesting.

mod arguments;
mod decode;
mod deserializer;
mod encode;
mod head;
mod layouts;
mod limits;
mod recycled;
mod scan;
mod serializer;

pub use self::{
    arguments::Arguments,
    decode::{DecodeError, decode},
    encode::{EncodeError, encode},
    layouts::{StructLayouts, TypeExplorer, explore},
    limits::{MAX_DEPTH, MAX_ELEMENTS},
};
pub(crate) use self::{
    arguments::{array, raw_argument},
    encode::BY_REFERENCE,
    scan::{Item, value_len},
};
