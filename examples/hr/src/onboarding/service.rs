use std::{sync::Arc, time::Duration};

use doge_rpc::{Context, Deadline, Status};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::{Newcomer, Onboarded, OnboardingError, OnboardingService, saga::Saga};
use crate::{employee::EmployeeService, leave::LeaveService};

/// What an onboarding gets, undoing included, when its caller has gone or runs out of time.
const SAGA_TIME: Duration = Duration::from_secs(30);
/// The part of the caller's time after which the caller is told that the onboarding goes on. With no answer at all, the
/// caller would blame this instance for a service further down that is away.
const PATIENCE: f64 = 0.9;

/// The onboarding service over an employee service and a leave service, wherever they run. Cheap to clone.
#[derive(Debug)]
pub struct Onboarding<E, L> {
    employees: Arc<E>,
    leave: Arc<L>,
    running: TaskTracker,
}

impl<E: EmployeeService, L: LeaveService> Onboarding<E, L> {
    /// The service over these two: implementations, clients, or fakes.
    pub fn new(employees: E, leave: L) -> Self {
        Self {
            employees: Arc::new(employees),
            leave: Arc::new(leave),
            running: TaskTracker::new(),
        }
    }

    /// Waits until no onboarding runs, also of callers who have gone; for a server that has been drained.
    ///
    /// Cancel safe.
    pub async fn settled(&self) {
        self.running.close();
        self.running.wait().await;
    }
}

impl<E: EmployeeService, L: LeaveService> OnboardingService for Onboarding<E, L> {
    async fn onboard(&self, newcomer: Newcomer) -> Result<Onboarded, OnboardingError> {
        let key = newcomer.key.clone();
        let saga = Saga::new(Arc::clone(&self.employees), Arc::clone(&self.leave));
        // A task of its own: a caller who gives up must not leave a person hired and without leave.
        let result = match Context::current() {
            Some(context) => {
                let patience = context.deadline().remaining().mul_f64(PATIENCE);
                let context = context.with_deadline(Deadline::after(SAGA_TIME));
                let task = self.running.spawn(context.scope(saga.run(newcomer)));
                match timeout(patience, task).await {
                    Ok(result) => result,
                    Err(_) => return Err(OnboardingError::GoesOn(key)),
                }
            }
            None => self.running.spawn(saga.run(newcomer)).await,
        };
        result.unwrap_or_else(|error| {
            // The text of a panic may have anything in it.
            tracing::error!(%error, "an onboarding did not come to its end");
            let status = "the onboarding did not come to its end; the log of the instance says why";
            Err(OnboardingError::Status(Status::internal(status)))
        })
    }
}

impl<E, L> Clone for Onboarding<E, L> {
    fn clone(&self) -> Self {
        Self {
            employees: Arc::clone(&self.employees),
            leave: Arc::clone(&self.leave),
            running: self.running.clone(),
        }
    }
}
