//! An HR system on doge-rpc, cut the way a team would deploy it.
//!
//! # Layout
//!
//! - [`employee`], [`leave`]: bounded contexts. Each has one aggregate root, a trait that says what can be done with
//!   it, an implementation, and a database that nobody else opens.
//! - [`onboarding`]: an application service over the two, which it knows by their traits only.
//! - [`identity`]: the names that contexts share, and all that they share.
//! - [`import`]: people out of a CSV file.
//! - `calling`: how those who run elsewhere are called.
//! - [`cli`], [`demo`]: the program `hr`.

mod calling;
pub mod cli;
mod database;
pub mod demo;
pub mod employee;
pub mod identity;
pub mod import;
pub mod leave;
mod named;
pub mod onboarding;
mod table;

pub use self::{database::OpenError, named::UnknownName};
