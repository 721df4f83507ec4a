//! People coming in, and going as if they never had.

use sqlx::SqliteConnection;

use super::{EmployeeStore, row::NewRow};
use crate::{
    employee::{Employee, EmployeeError, Hire, Imported, Record},
    identity::RequestKey,
};

impl EmployeeStore {
    pub(crate) async fn hire(&self, hire: &Hire) -> Result<Employee, EmployeeError> {
        let mut transaction = self.database.write().await?;
        if let Some(employee) = hired_with(&mut transaction, &hire.key).await? {
            // Only the person: the position may have changed since.
            return if employee.person == hire.person {
                Ok(employee)
            } else {
                Err(EmployeeError::KeyReused(hire.key.clone()))
            };
        }
        if is_withdrawn(&mut transaction, &hire.key).await? {
            return Err(EmployeeError::Withdrawn(hire.key.clone()));
        }
        let inserted = NewRow::from(hire).insert(&mut transaction).await?;
        let employee = inserted.ok_or_else(|| match hire.number {
            Some(number) => EmployeeError::NumberTaken(number),
            // Without a number the database finds a free one.
            None => sqlx::Error::RowNotFound.into(),
        })?;
        transaction.commit().await?;
        Ok(employee)
    }

    pub(crate) async fn settle(&self, key: &RequestKey) -> Result<(), EmployeeError> {
        let mut transaction = self.database.write().await?;
        let settled = sqlx::query("UPDATE employee SET settled = 1 WHERE hire_key = ?1")
            .bind(key.as_str())
            .execute(&mut *transaction)
            .await?;
        if settled.rows_affected() == 0 {
            return Err(match is_withdrawn(&mut transaction, key).await? {
                true => EmployeeError::Withdrawn(key.clone()),
                false => EmployeeError::NoHire(key.clone()),
            });
        }
        Ok(transaction.commit().await?)
    }

    pub(crate) async fn withdraw(&self, key: &RequestKey) -> Result<(), EmployeeError> {
        let mut transaction = self.database.write().await?;
        sqlx::query("INSERT INTO withdrawn_hire (hire_key) VALUES (?1) ON CONFLICT DO NOTHING")
            .bind(key.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM employee WHERE hire_key = ?1 AND revision = 1 AND settled = 0")
            .bind(key.as_str())
            .execute(&mut *transaction)
            .await?;
        if let Some(employee) = hired_with(&mut transaction, key).await? {
            return Err(EmployeeError::Settled(employee.number));
        }
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn import(&self, records: &[Record]) -> Result<Imported, EmployeeError> {
        let mut transaction = self.database.write().await?;
        let mut result = Imported::default();
        for record in records {
            match NewRow::from(record).insert(&mut transaction).await? {
                Some(_) => result.imported += 1,
                None => result.already_there += 1,
            }
        }
        transaction.commit().await?;
        Ok(result)
    }
}

async fn hired_with(
    connection: &mut SqliteConnection,
    key: &RequestKey,
) -> Result<Option<Employee>, sqlx::Error> {
    sqlx::query_as("SELECT * FROM employee WHERE hire_key = ?1")
        .bind(key.as_str())
        .fetch_optional(connection)
        .await
}

async fn is_withdrawn(
    connection: &mut SqliteConnection,
    key: &RequestKey,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM withdrawn_hire WHERE hire_key = ?1)")
        .bind(key.as_str())
        .fetch_one(connection)
        .await
}
