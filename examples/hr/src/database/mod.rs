//! A SQLite database as each context has one of its own.

mod failure;
mod file;
mod open_error;

use std::{path::Path, time::Duration};

use sqlx::{
    Sqlite, SqlitePool, Transaction,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use tokio::time::Instant;

pub(crate) use self::failure::{FAILED, failure, undecodable};
pub use self::open_error::OpenError;
use self::{failure::is_busy, file::DatabaseFile};

/// How long a statement waits for the writer of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two tries to open a database that another process makes at the same time.
const PAUSE: Duration = Duration::from_millis(20);
const READERS: u32 = 4;

/// One connection that writes, some that read. Cheap to clone.
///
/// Writers queue for the one connection instead of meeting inside SQLite; with the write-ahead log, readers wait
/// for nobody.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    file: DatabaseFile,
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Database {
    /// Opens `folder/name.db`, made if it is not there, and brings its tables up to date.
    pub(crate) async fn open(
        folder: &Path,
        name: &str,
        migrations: &Migrator,
    ) -> Result<Self, OpenError> {
        let made = tokio::fs::create_dir_all(folder).await;
        made.map_err(|source| OpenError::Folder {
            folder: folder.to_owned(),
            source,
        })?;
        let path = folder.join(format!("{name}.db"));
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let writer = connect(&options).await;
        let writer = writer.map_err(|source| OpenError::Database {
            path: path.clone(),
            source,
        })?;
        let file = DatabaseFile::opened(&path).map_err(|source| OpenError::Database {
            path: path.clone(),
            source: source.into(),
        })?;
        // From here on, a file that is not there was taken away.
        let options = options.create_if_missing(false);
        writer.set_connect_options(options.clone());
        let readers = pool(READERS).connect_lazy_with(options.pragma("query_only", "ON"));
        let database = Self {
            file,
            writer,
            readers,
        };
        match database.migrate(migrations).await {
            Ok(()) => Ok(database),
            Err(source) => Err(OpenError::Migration { path, source }),
        }
    }

    /// Starts a transaction that may write. Dropped before its commit, it leaves no trace.
    ///
    /// # Errors
    ///
    /// When the file is not there any more, or cannot be written.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.file.check()?;
        // Immediate: who first reads and then writes would otherwise find out too late that somebody else wrote.
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    /// Where to read.
    ///
    /// # Errors
    ///
    /// When the file is not there any more.
    pub(crate) fn read(&self) -> Result<&SqlitePool, sqlx::Error> {
        self.file.check()?;
        Ok(&self.readers)
    }

    /// Closes all connections, once what runs on them is done; what comes later fails.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// In one transaction, so that of two processes that open a new database one waits for the other.
    async fn migrate(&self, migrations: &Migrator) -> Result<(), MigrateError> {
        let mut transaction = self.write().await?;
        migrations.run(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }
}

/// Connects the writer.
///
/// Where two processes make a database at once, SQLite lets only one of them set the write-ahead log up, and tells
/// the other one so without waiting out the busy timeout.
async fn connect(options: &SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let give_up = Instant::now() + BUSY_TIMEOUT;
    loop {
        match pool(1).connect_with(options.clone()).await {
            Err(error) if is_busy(&error) && Instant::now() < give_up => {
                tokio::time::sleep(PAUSE).await;
            }
            result => return result,
        }
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}
