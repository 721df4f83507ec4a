//! What went wrong in a statement.

use doge_rpc::Status;

/// What a caller learns when the database fails; the log learns it too.
pub(crate) fn failure(error: &sqlx::Error) -> Status {
    tracing::error!(%error, "the database failed");
    match error {
        sqlx::Error::PoolClosed => Status::unavailable("the database is closed; the service ends"),
        sqlx::Error::PoolTimedOut => {
            Status::resource_exhausted("too many calls wait for the database; try again later")
        }
        error if is_busy(error) => Status::resource_exhausted(
            "another instance holds the database for too long; try again later",
        ),
        _ => Status::internal(format!("the database failed: {error}")),
    }
}

/// A column whose text this version does not know.
pub(crate) fn undecodable<E>(column: &'static str) -> impl FnOnce(E) -> sqlx::Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |error| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: Box::new(error),
    }
}

/// Whether another process holds the database.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    /// The low byte of the code; what stands above it says more closely how.
    const SQLITE_BUSY: u32 = 5;
    let code = error.as_database_error().and_then(|error| error.code());
    let code = code.and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xFF == SQLITE_BUSY)
}
