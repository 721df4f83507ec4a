//! The application service that makes a newcomer an employee with days off: both, or neither.
//!
//! It has no state and no database. It knows the contexts below it by their traits, so the same code runs over the
//! implementations in one process, over clients across processes, and over fakes in a test.

mod api;
mod error;
mod saga;
mod service;
mod undo;

pub use self::{
    api::{Newcomer, Onboarded, OnboardingClient, OnboardingServer, OnboardingService},
    error::OnboardingError,
    service::Onboarding,
};
