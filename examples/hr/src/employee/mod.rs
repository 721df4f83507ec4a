//! The context of who works here, as what. Its aggregate root is the [`Employee`].

mod api;
mod error;
mod filter;
mod hire;
mod person;
mod position;
mod root;
mod service;
mod store;

pub use self::{
    api::{EmployeeClient, EmployeeServer, EmployeeService},
    error::EmployeeError,
    filter::{Cursor, Filter, Page},
    hire::{Hire, Imported, Record, Transfer},
    person::{Gender, MaritalStatus, Person},
    position::Position,
    root::{Employee, Employment},
    service::Employees,
};
