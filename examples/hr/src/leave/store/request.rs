//! Days going out.

use sqlx::{FromRow, Row, SqliteConnection, sqlite::SqliteRow};

use super::{LeaveStore, balance, employee_of};
use crate::{
    database::undecodable,
    leave::{LeaveError, LeaveRequest, NewRequest, RequestId, RequestState},
};

impl LeaveStore {
    pub(crate) async fn request(&self, request: &NewRequest) -> Result<LeaveRequest, LeaveError> {
        let mut transaction = self.database.write().await?;
        if let Some(earlier) = requested_with(&mut transaction, request).await? {
            return if (earlier.employee, earlier.days) == (request.employee, request.days) {
                Ok(earlier)
            } else {
                Err(LeaveError::KeyReused(request.key.clone()))
            };
        }
        set_aside(&mut transaction, request).await?;
        let made = sqlx::query_as(
            "INSERT INTO request (request_key, employee, days) VALUES (?1, ?2, ?3) RETURNING *",
        )
        .bind(request.key.as_str())
        .bind(request.employee.get())
        .bind(request.days)
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(made)
    }

    /// Decides a pending request, and moves its days; `decision` is not `Pending`.
    pub(crate) async fn decide(
        &self,
        id: RequestId,
        decision: RequestState,
    ) -> Result<LeaveRequest, LeaveError> {
        let mut transaction = self.database.write().await?;
        let request = found(&mut transaction, id).await?;
        if request.state == decision {
            return Ok(request);
        }
        if request.state != RequestState::Pending {
            let state = request.state;
            return Err(LeaveError::Decided { id, state });
        }
        sqlx::query("UPDATE request SET state = ?2 WHERE id = ?1")
            .bind(id.get())
            .bind(decision.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "UPDATE account SET pending = pending - ?2, taken = taken + iif(?3 = 'approved', ?2, 0)
             WHERE employee = ?1",
        )
        .bind(request.employee.get())
        .bind(request.days)
        .bind(decision.as_str())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(LeaveRequest {
            state: decision,
            ..request
        })
    }
}

/// Sets the days aside if they are there. Looking and taking is one statement, so nobody comes between the two.
async fn set_aside(
    connection: &mut SqliteConnection,
    request: &NewRequest,
) -> Result<(), LeaveError> {
    let updated = sqlx::query(
        "UPDATE account SET pending = pending + ?2
         WHERE employee = ?1 AND entitled - taken - pending >= ?2",
    )
    .bind(request.employee.get())
    .bind(request.days)
    .execute(&mut *connection)
    .await?;
    if updated.rows_affected() > 0 {
        return Ok(());
    }
    Err(LeaveError::NotEnough {
        employee: request.employee,
        asked: request.days,
        available: balance(connection, request.employee).await?.available,
    })
}

async fn requested_with(
    connection: &mut SqliteConnection,
    request: &NewRequest,
) -> Result<Option<LeaveRequest>, sqlx::Error> {
    sqlx::query_as("SELECT * FROM request WHERE request_key = ?1")
        .bind(request.key.as_str())
        .fetch_optional(connection)
        .await
}

async fn found(
    connection: &mut SqliteConnection,
    id: RequestId,
) -> Result<LeaveRequest, LeaveError> {
    let found = sqlx::query_as("SELECT * FROM request WHERE id = ?1")
        .bind(id.get())
        .fetch_optional(connection)
        .await?;
    found.ok_or(LeaveError::NoRequest(id))
}

impl FromRow<'_, SqliteRow> for LeaveRequest {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let state = row.try_get::<&str, _>("state")?.parse();
        Ok(Self {
            id: RequestId::new(row.try_get("id")?),
            employee: employee_of(row)?,
            days: row.try_get("days")?,
            state: state.map_err(undecodable("state"))?,
        })
    }
}
