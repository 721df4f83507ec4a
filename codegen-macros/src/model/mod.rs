//! A trait, parsed: whatever is in the model is known to be right, so that expansion has nothing to check.

mod argument;
mod attempts;
mod cfg;
mod docs;
mod encoding;
mod hedge;
mod method;
mod methods;
mod owned;
mod result;
mod service;
mod signature;

pub(crate) use self::{
    argument::{Argument, DefaultValue},
    attempts::Attempts,
    encoding::Encoding,
    hedge::Hedge,
    method::Method,
    service::{Service, Supertraits},
};
