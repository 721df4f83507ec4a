//! What happens to people who are here. Each change is one statement, which only finds active employees.

use super::EmployeeStore;
use crate::{
    employee::{Employee, EmployeeError, Transfer},
    identity::EmployeeNumber,
};

impl EmployeeStore {
    pub(crate) async fn transfer(
        &self,
        number: EmployeeNumber,
        to: &Transfer,
    ) -> Result<Employee, EmployeeError> {
        let mut transaction = self.database.write().await?;
        let changed = sqlx::query_as(
            "UPDATE employee SET department = ?2, job_role = ?3, revision = revision + 1
             WHERE number = ?1 AND employment = 'active'
             RETURNING *",
        )
        .bind(number.get())
        .bind(&to.department)
        .bind(&to.job_role)
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        self.active(number, changed).await
    }

    pub(crate) async fn terminate(
        &self,
        number: EmployeeNumber,
    ) -> Result<Employee, EmployeeError> {
        let mut transaction = self.database.write().await?;
        let changed = sqlx::query_as(
            "UPDATE employee SET employment = 'terminated', revision = revision + 1
             WHERE number = ?1 AND employment = 'active'
             RETURNING *",
        )
        .bind(number.get())
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        self.active(number, changed).await
    }

    /// The employee that a change found, or why it found none.
    async fn active(
        &self,
        number: EmployeeNumber,
        changed: Option<Employee>,
    ) -> Result<Employee, EmployeeError> {
        match changed {
            Some(employee) => Ok(employee),
            None => Err(EmployeeError::Terminated(self.get(number).await?.number)),
        }
    }
}
