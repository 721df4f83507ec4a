//! The names that bounded contexts share. They share nothing else: no tables, no types with behaviour.

mod employee_number;
mod request_key;

pub use self::{
    employee_number::{EmployeeNumber, InvalidEmployeeNumber},
    request_key::{InvalidRequestKey, RequestKey},
};
