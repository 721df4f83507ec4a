//! What the replicas of the fault tests serve.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use doge_rpc::prelude::*;

/// A journal that all replicas write, so that a test can tell how often each call ran.
#[service(name = "faults.ledger")]
pub trait Ledger {
    /// Gives a value back after so many milliseconds.
    #[rpc(idempotent)]
    async fn read(&self, value: u64, millis: u64) -> Result<u64, Status>;

    /// Writes a key into the journal at once, and answers after so many milliseconds.
    async fn book(&self, key: u64, millis: u64) -> Result<(), Status>;
}

/// A replica, which writes into a file that it shares with the others.
#[derive(Clone, Debug)]
pub struct Replica {
    journal: Arc<Mutex<File>>,
}

impl Replica {
    /// A replica that adds to this file.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened.
    pub fn open(journal: &Path) -> io::Result<Self> {
        let journal = OpenOptions::new().append(true).create(true).open(journal)?;
        Ok(Self {
            journal: Arc::new(Mutex::new(journal)),
        })
    }

    fn write(&self, key: u64) -> Result<(), Status> {
        // Short lines are added whole, also by several processes at once.
        let line = format!("{key}\n");
        let mut journal = self
            .journal
            .lock()
            .map_err(|_| Status::internal("poisoned"))?;
        journal
            .write_all(line.as_bytes())
            .map_err(|error| Status::internal(error.to_string()))
    }
}

impl Ledger for Replica {
    async fn read(&self, value: u64, millis: u64) -> Result<u64, Status> {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        Ok(value)
    }

    async fn book(&self, key: u64, millis: u64) -> Result<(), Status> {
        self.write(key)?;
        tokio::time::sleep(Duration::from_millis(millis)).await;
        Ok(())
    }
}
