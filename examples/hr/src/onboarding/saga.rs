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

    /// All steps under the one key of the newcomer, so that they can be repeated and undone by it. A repetition may run
    /// beside this: whichever settles or withdraws the hire first decides for both.
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
        let leave = match self.leave.grant(grant).await {
            Ok(leave) => leave,
            Err(cause) => return Err(self.not_granted(key, cause).await),
        };
        let settled = self.employees.settle(key.clone()).await;
        if let Err(cause) = settled {
            self.not_settled(key, cause).await?;
        }
        Ok(Onboarded { employee, leave })
    }

    async fn not_hired(&self, key: RequestKey, cause: EmployeeError) -> OnboardingError {
        let undone = match &cause {
            EmployeeError::Status(status) if !status.never_ran() => self.undo(&key, &cause).await,
            // By an earlier one with this key, which may not have come to its end.
            EmployeeError::Withdrawn(_) => self.revoke(&key, &cause).await,
            _ => Ok(()),
        };
        undone.err().unwrap_or(OnboardingError::NotHired(cause))
    }

    async fn not_granted(&self, key: RequestKey, cause: LeaveError) -> OnboardingError {
        if let LeaveError::KeyReused(_) = cause {
            return OnboardingError::KeyReused(cause);
        }
        if let Err(not_undone) = self.undo(&key, &cause).await {
            return not_undone;
        }
        tracing::info!(%key, %cause, "onboarding undone");
        OnboardingError::Undone(cause)
    }

    /// `Ok` when it is settled after all.
    async fn not_settled(
        &self,
        key: RequestKey,
        cause: EmployeeError,
    ) -> Result<(), OnboardingError> {
        match self.withdraw(&key).await {
            Ok(()) => self.revoke(&key, &cause).await?,
            Err(EmployeeError::Settled(_)) => return Ok(()),
            Err(left) => return Err(not_undone(&key, &cause, &left)),
        }
        Err(OnboardingError::NotHired(cause))
    }

    /// Takes back what may have been done, also by a step that failed: the hire, unless a repetition has settled it,
    /// and then the days.
    async fn undo(&self, key: &RequestKey, cause: &impl ToString) -> Result<(), OnboardingError> {
        match self.withdraw(key).await {
            Ok(()) => self.revoke(key, cause).await,
            Err(left) => Err(not_undone(key, cause, &left)),
        }
    }

    async fn withdraw(&self, key: &RequestKey) -> Result<(), EmployeeError> {
        let is_passing = |error: &EmployeeError| matches!(error, EmployeeError::Status(_));
        undo::persist(|| self.employees.withdraw(key.clone()), is_passing).await
    }

    async fn revoke(&self, key: &RequestKey, cause: &impl ToString) -> Result<(), OnboardingError> {
        let is_passing = |error: &LeaveError| matches!(error, LeaveError::Status(_));
        let revoked = undo::persist(|| self.leave.revoke(key.clone()), is_passing).await;
        revoked.map_err(|left| not_undone(key, cause, &left))
    }
}

fn not_undone(key: &RequestKey, cause: &impl ToString, left: &impl ToString) -> OnboardingError {
    let (key, cause, left) = (key.clone(), cause.to_string(), left.to_string());
    tracing::warn!(%key, cause, left, "onboarding not undone");
    OnboardingError::NotUndone { key, cause, left }
}
