//! Values as MessagePack: what a body holds.
//!
//! Writing goes into a buffer of the thread that is handed out in slices, so that a small body costs no allocation
//! and no lock is held while a user's `Serialize` runs. Nothing is made room for that is announced and cannot be there.
//! Writers and readers keep the same limits of elements ([`MAX_ELEMENTS`]) and nesting ([`MAX_DEPTH`]).
//!
//! # Types
//!
//! An argument, a result or an error is of any type that serde can write and read. Here is what serde itself cannot
//! carry, and what this module makes of it:
//!
//! | type | what happens | instead |
//! |---|---|---|
//! | `Some(None)` of an `Option<Option<T>>`, `Some(())` | refused at its sender: on the wire it is nil, which is read as `None` | an enum with three variants |
//! | a list, a set or a map with more than 1,048,576 elements in all, such as a large `Vec<u8>` | refused at its sender | pages; for bytes `bytes::Bytes`, or `#[serde(with = "serde_bytes")]`, which is one value |
//! | values nested deeper than 128 levels | refused at their sender | a flat list whose items refer to each other |
//! | `i128` and `u128` inside a type with `tag`, `untagged` or `flatten` | refused by their reader, as `InvalidArgument` or `Internal`: serde's buffer has no such integers | text, or two `u64` |
//! | `IpAddr` and `SocketAddr` there | refused by their reader: serde looks for text in its buffer, and bytes were sent | a `String` field, parsed by the service |
//! | the scope id and the flow label of a `SocketAddrV6` | lost: serde does not write them | a field of their own |
//! | an `untagged` enum | the first variant that fits is read. A list fits a tuple and a struct of as many fields, a map fits a struct that has fewer fields or defaults | tuple variants first, then the structs with the most fields; better an enum with a tag |
//!
//! # Changing a type
//!
//! As maps, which is what structs are by default, fields can be added and removed anywhere: an unknown name is ignored, a
//! missing field is `None` for an `Option`, and otherwise needs `#[serde(default)]`. A method with `encoding = "array"`
//! writes structs as arrays where [`StructLayouts`] prove that they are read back. Then fields can only be added at the
//! end, with `#[serde(default)]`, for an `Option` too. `deny_unknown_fields` does not see them. The elements of tuples,
//! tuple structs and tuple variants stay as they are.
//!
//! ```
//! use doge_rpc_core::wire;
//!
//! #[derive(Debug, PartialEq, serde::Deserialize)]
//! struct Employee {
//!     id: u32,
//!     #[serde(default)]
//!     name: String,
//! }
//!
//! // From a peer that knows one field more, and from a peer that knows one field less.
//! let newer: Employee = wire::decode(b"\x93\x07\xa3Ada\xc3")?;
//! let older: Employee = wire::decode(b"\x91\x07")?;
//! assert_eq!(newer, Employee { id: 7, name: "Ada".into() });
//! assert_eq!(older, Employee { id: 7, name: String::new() });
//! # Ok::<(), wire::DecodeError>(())
//! ```

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
