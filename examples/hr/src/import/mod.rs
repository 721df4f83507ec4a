//! People out of a CSV file, plain or gzipped, with the columns of the IBM HR attrition sample.
//!
//! Rows that cannot be used are told by line and skipped; all others are imported in one transaction.
//!
//! The sample has no names, so a person is called `Employee 7` after the number. `Attrition` is whether somebody left:
//! `Yes` makes a terminated employee, who is on file and counted like the others.

mod error;
mod header;
mod lines;
mod progress;
mod row;
mod sheet;
mod source;

pub use self::{
    error::ImportError,
    progress::Progress,
    sheet::{Fault, Sheet},
};
