//! Employees in SQLite. What the statements do not say, the migrations do.

mod change;
mod hiring;
mod row;

use std::path::Path;

use super::{Cursor, Employee, EmployeeError, Filter, Page};
use crate::{
    OpenError,
    database::{self, Database},
    identity::EmployeeNumber,
};

#[derive(Clone, Debug)]
pub(super) struct EmployeeStore {
    database: Database,
}

impl EmployeeStore {
    pub(super) async fn open(folder: &Path) -> Result<Self, OpenError> {
        let migrations = sqlx::migrate!("migrations/employee");
        let database = Database::open(folder, "employee", &migrations).await?;
        Ok(Self { database })
    }

    pub(super) async fn close(&self) {
        self.database.close().await;
    }

    pub(super) async fn get(&self, number: EmployeeNumber) -> Result<Employee, EmployeeError> {
        let found = sqlx::query_as("SELECT * FROM employee WHERE number = ?1")
            .bind(number.get())
            .fetch_optional(self.database.read()?)
            .await?;
        found.ok_or(EmployeeError::NotFound(number))
    }

    /// One page; `limit` is at least 1.
    pub(super) async fn list(
        &self,
        filter: &Filter,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page, EmployeeError> {
        let mut employees: Vec<Employee> = sqlx::query_as(
            "SELECT * FROM employee
             WHERE number > ?1
               AND (?2 IS NULL OR department = ?2)
               AND (?3 IS NULL OR employment = ?3)
             ORDER BY number
             LIMIT ?4",
        )
        .bind(after.map_or(0, |cursor| cursor.number().get()))
        .bind(&filter.department)
        .bind(filter.employment.map(|employment| employment.as_str()))
        // One more than asked for tells whether there is a next page.
        .bind(i64::from(limit) + 1)
        .fetch_all(self.database.read()?)
        .await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = employees.len() > limit;
        employees.truncate(limit);
        let next = employees.last().filter(|_| has_more).map(Cursor::behind);
        Ok(Page { employees, next })
    }

    pub(super) async fn count(&self, filter: &Filter) -> Result<u64, EmployeeError> {
        let count: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM employee
             WHERE (?1 IS NULL OR department = ?1)
               AND (?2 IS NULL OR employment = ?2)",
        )
        .bind(&filter.department)
        .bind(filter.employment.map(|employment| employment.as_str()))
        .fetch_one(self.database.read()?)
        .await?;
        Ok(count.unsigned_abs())
    }
}

impl From<sqlx::Error> for EmployeeError {
    fn from(error: sqlx::Error) -> Self {
        Self::Status(database::failure(&error))
    }
}
