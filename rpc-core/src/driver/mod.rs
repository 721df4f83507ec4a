//! The tokio edge of a connection, for either end: bytes in, bytes out, and who writes when.

mod chunks;
mod frames;
mod link;
mod waking;

pub use self::{
    frames::{FrameReader, Read},
    link::Link,
    waking::wake_all,
};
