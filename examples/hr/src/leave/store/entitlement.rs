//! Days coming in, and going as if they never had.

use sqlx::{FromRow, Row, SqliteConnection, sqlite::SqliteRow};

use super::{LeaveStore, balance, employee_of};
use crate::{
    identity::{EmployeeNumber, RequestKey},
    leave::{Balance, Grant, LeaveError},
};

struct Entitlement {
    employee: EmployeeNumber,
    days: u32,
}

impl LeaveStore {
    pub(crate) async fn grant(&self, grant: &Grant) -> Result<Balance, LeaveError> {
        let mut transaction = self.database.write().await?;
        if let Some(earlier) = granted_with(&mut transaction, &grant.key).await? {
            return if (earlier.employee, earlier.days) == (grant.employee, grant.days) {
                balance(&mut *transaction, grant.employee).await
            } else {
                Err(LeaveError::KeyReused(grant.key.clone()))
            };
        }
        if is_revoked(&mut transaction, &grant.key).await? {
            return Err(LeaveError::Revoked(grant.key.clone()));
        }
        sqlx::query(
            "INSERT INTO account (employee, entitled) VALUES (?1, ?2)
             ON CONFLICT (employee) DO UPDATE SET entitled = entitled + excluded.entitled",
        )
        .bind(grant.employee.get())
        .bind(grant.days)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("INSERT INTO entitlement (grant_key, employee, days) VALUES (?1, ?2, ?3)")
            .bind(grant.key.as_str())
            .bind(grant.employee.get())
            .bind(grant.days)
            .execute(&mut *transaction)
            .await?;
        let balance = balance(&mut *transaction, grant.employee).await?;
        transaction.commit().await?;
        Ok(balance)
    }

    pub(crate) async fn revoke(&self, key: &RequestKey) -> Result<(), LeaveError> {
        let mut transaction = self.database.write().await?;
        if let Some(entitlement) = granted_with(&mut transaction, key).await? {
            take_back(&mut transaction, &entitlement).await?;
        }
        sqlx::query("DELETE FROM entitlement WHERE grant_key = ?1")
            .bind(key.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO revoked_grant (grant_key) VALUES (?1) ON CONFLICT DO NOTHING")
            .bind(key.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Takes the days off the account, unless it would be negative then.
async fn take_back(
    connection: &mut SqliteConnection,
    entitlement: &Entitlement,
) -> Result<(), LeaveError> {
    let updated = sqlx::query(
        "UPDATE account SET entitled = entitled - ?2
         WHERE employee = ?1 AND entitled - taken - pending >= ?2",
    )
    .bind(entitlement.employee.get())
    .bind(entitlement.days)
    .execute(connection)
    .await?;
    match updated.rows_affected() {
        0 => Err(LeaveError::InUse(entitlement.employee)),
        _ => Ok(()),
    }
}

async fn granted_with(
    connection: &mut SqliteConnection,
    key: &RequestKey,
) -> Result<Option<Entitlement>, sqlx::Error> {
    sqlx::query_as("SELECT employee, days FROM entitlement WHERE grant_key = ?1")
        .bind(key.as_str())
        .fetch_optional(connection)
        .await
}

async fn is_revoked(
    connection: &mut SqliteConnection,
    key: &RequestKey,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM revoked_grant WHERE grant_key = ?1)")
        .bind(key.as_str())
        .fetch_one(connection)
        .await
}

impl FromRow<'_, SqliteRow> for Entitlement {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            employee: employee_of(row)?,
            days: row.try_get("days")?,
        })
    }
}
