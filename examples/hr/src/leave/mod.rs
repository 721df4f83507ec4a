//! The context of days off. Its aggregate root is the account of an employee: what he or she is entitled to, has
//! taken and has asked for, which together are never negative.

mod api;
mod balance;
mod error;
mod grant;
mod request;
mod service;
mod store;

pub use self::{
    api::{LeaveClient, LeaveServer, LeaveService},
    balance::Balance,
    error::LeaveError,
    grant::{Grant, MAX_GRANT_DAYS},
    request::{LeaveRequest, NewRequest, RequestId, RequestState},
    service::Leave,
};
