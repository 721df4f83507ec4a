//! A trait, parsed: whatever is in the model is known to be right, so that expansion has nothing to check.

mod argument;
mod docs;
mod method;
mod owned;
mod result;
mod service;
mod signature;

pub(crate) use self::{
    argument::{Argument, DefaultValue},
    method::{Encoding, Method},
    service::{Service, Supertraits},
};
