//! What went wrong in a statement.

use doge_rpc::Status;

/// What the log says of each failure.
pub(crate) const FAILED: &str = "the database failed";

/// What a caller learns when the database fails. Statements, names of tables and paths stay in the log of the instance.
///
/// `Unavailable` says that another instance may do better: clients repeat an idempotent call there, and stop calling this
/// instance. `Internal` says that the call fails wherever it is made.
pub(crate) fn failure(error: &sqlx::Error) -> Status {
    tracing::error!(%error, "{FAILED}");
    match error {
        sqlx::Error::PoolClosed => Status::unavailable("the database is closed; the service ends"),
        sqlx::Error::PoolTimedOut => {
            Status::resource_exhausted("too many calls wait for the database; try again later")
        }
        error if is_busy(error) => Status::resource_exhausted(
            "another instance holds the database for too long; try again later",
        ),
        error if is_away(error) => {
            Status::unavailable("the database of this instance cannot be used; its log says why")
        }
        _ => {
            Status::internal("a statement failed in the database; the log of the instance says why")
        }
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

/// Primary result codes of SQLite, <https://sqlite.org/rescode.html>.
mod code {
    pub(super) const PERM: u32 = 3;
    pub(super) const BUSY: u32 = 5;
    pub(super) const READONLY: u32 = 8;
    pub(super) const IOERR: u32 = 10;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
    pub(super) const NOTADB: u32 = 26;
}

/// Whether another process holds the database.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(code::BUSY)
}

/// Whether the file or the disk is the trouble, and not the statement.
fn is_away(error: &sqlx::Error) -> bool {
    const AWAY: [u32; 7] = [
        code::PERM,
        code::READONLY,
        code::IOERR,
        code::CORRUPT,
        code::FULL,
        code::CANTOPEN,
        code::NOTADB,
    ];
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed)
        || primary_code(error).is_some_and(|code| AWAY.contains(&code))
}

/// The low byte of SQLite's code; what stands above it says more closely what happened.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?;
    Some(code.parse::<u32>().ok()? & 0xFF)
}
