//! What volo generates for `echo.thrift`, in a crate of its own, as volo's guide has it.

include!(concat!(env!("OUT_DIR"), "/volo_gen.rs"));

pub use self::volo_gen::echo::*;
