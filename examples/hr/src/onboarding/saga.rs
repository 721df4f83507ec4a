//! The steps of one onboarding, and the way back.

use std::sync::Arc;

use super::{Newcomer, Onboarded, OnboardingError, undo};
use crate::{
    employee::{EmployeeError, EmployeeService, Hire},
    identity::RequestKey,
    leave::{Grant, LeaveError, LeaveService},
};

pub(super) struct Saga<E, L> {
    employees: Arc<E>,
    leave: Arc<L>,
}

impl<E: EmployeeService, L: LeaveService> Saga<E, L> {
    pub(super) fn new(employees: Arc<E>, leave: Arc<L>) -> Self {
        Self { employees, leave }
    }

    /// Both steps under the one key of the newcomer, so that they can be repeated and undone by it.
    pub(super) async fn run(self, newcomer: Newcomer) -> Result<Onboarded, OnboardingError> {
        let key = newcomer.key;
        let hire = Hire {
            key: key.clone(),
            number: newcomer.number,
            person: newcomer.person,
            position: newcomer.position,
        };
        let employee = match self.employees.hire(hire).await {
            Ok(employee) => employee,
            Err(cause) => return Err(self.not_hired(key, cause).await),
        };
        let grant = Grant {
            key: key.clone(),
            employee: employee.number,
            days: newcomer.leave_days,
        };
        match self.leave.grant(grant).await {
            Ok(leave) => Ok(Onboarded { employee, leave }),
            Err(cause) => Err(self.not_granted(key, cause).await),
        }
    }

    async fn not_hired(&self, key: RequestKey, cause: EmployeeError) -> OnboardingError {
        let may_have_hired = matches!(&cause, EmployeeError::Status(status) if !status.never_ran());
        if may_have_hired && let Err(left) = self.withdraw(&key).await {
            return not_undone(key, &cause, &left);
        }
        OnboardingError::NotHired(cause)
    }

    async fn not_granted(&self, key: RequestKey, cause: LeaveError) -> OnboardingError {
        if let LeaveError::KeyReused(_) = cause {
            return OnboardingError::KeyReused(cause);
        }
        // The last step first; a grant that failed may still have happened.
        if let Err(left) = self.revoke(&key).await {
            return not_undone(key, &cause, &left);
        }
        if let Err(left) = self.withdraw(&key).await {
            return not_undone(key, &cause, &left);
        }
        tracing::info!(%key, %cause, "onboarding undone");
        OnboardingError::Undone(cause)
    }

    async fn withdraw(&self, key: &RequestKey) -> Result<(), EmployeeError> {
        let is_passing = |error: &EmployeeError| matches!(error, EmployeeError::Status(_));
        undo::persist(|| self.employees.withdraw(key.clone()), is_passing).await
    }

    async fn revoke(&self, key: &RequestKey) -> Result<(), LeaveError> {
        let is_passing = |error: &LeaveError| matches!(error, LeaveError::Status(_));
        undo::persist(|| self.leave.revoke(key.clone()), is_passing).await
    }
}

fn not_undone(key: RequestKey, cause: &impl ToString, left: &impl ToString) -> OnboardingError {
    let (cause, left) = (cause.to_string(), left.to_string());
    tracing::error!(%key, cause, left, "onboarding not undone");
    OnboardingError::NotUndone { key, cause, left }
}
