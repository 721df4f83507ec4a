//! Leave accounts in SQLite. What the statements do not say, the migrations do.

mod entitlement;
mod request;

use std::path::Path;

use sqlx::{FromRow, Row, SqliteExecutor, sqlite::SqliteRow};

use super::{Balance, LeaveError};
use crate::{
    OpenError,
    database::{self, Database, undecodable},
    identity::EmployeeNumber,
};

#[derive(Clone, Debug)]
pub(super) struct LeaveStore {
    database: Database,
}

impl LeaveStore {
    pub(super) async fn open(folder: &Path) -> Result<Self, OpenError> {
        let migrations = sqlx::migrate!("migrations/leave");
        let database = Database::open(folder, "leave", &migrations).await?;
        Ok(Self { database })
    }

    pub(super) async fn close(&self) {
        self.database.close().await;
    }

    pub(super) async fn balance(&self, employee: EmployeeNumber) -> Result<Balance, LeaveError> {
        balance(self.database.read()?, employee).await
    }
}

async fn balance(
    executor: impl SqliteExecutor<'_>,
    employee: EmployeeNumber,
) -> Result<Balance, LeaveError> {
    let found = sqlx::query_as(
        "SELECT *, entitled - taken - pending AS available FROM account WHERE employee = ?1",
    )
    .bind(employee.get())
    .fetch_optional(executor)
    .await?;
    found.ok_or(LeaveError::NoAccount(employee))
}

fn employee_of(row: &SqliteRow) -> Result<EmployeeNumber, sqlx::Error> {
    let number: u32 = row.try_get("employee")?;
    number.try_into().map_err(undecodable("employee"))
}

impl FromRow<'_, SqliteRow> for Balance {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            employee: employee_of(row)?,
            entitled: row.try_get("entitled")?,
            taken: row.try_get("taken")?,
            pending: row.try_get("pending")?,
            available: row.try_get("available")?,
        })
    }
}

impl From<sqlx::Error> for LeaveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Status(database::failure(&error))
    }
}
