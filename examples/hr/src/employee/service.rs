use std::path::Path;

use super::{
    Cursor, Employee, EmployeeError, EmployeeService, Filter, Hire, Imported, Page, Record,
    Transfer, store::EmployeeStore,
};
use crate::{
    OpenError,
    identity::{EmployeeNumber, RequestKey},
};

const LARGEST_PAGE: u32 = 500;

/// The employee service over a SQLite database of its own. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Employees {
    store: EmployeeStore,
}

impl Employees {
    /// Opens `employee.db` in this folder; both are made when they are not there.
    ///
    /// # Errors
    ///
    /// When the folder or the file cannot be used.
    pub async fn open(folder: &Path) -> Result<Self, OpenError> {
        let store = EmployeeStore::open(folder).await?;
        Ok(Self { store })
    }

    /// Closes the database, once what runs on it is done; calls that come later fail.
    pub async fn close(&self) {
        self.store.close().await;
    }
}

impl EmployeeService for Employees {
    async fn hire(&self, hire: Hire) -> Result<Employee, EmployeeError> {
        hire.validate()?;
        self.store.hire(&hire).await
    }

    async fn settle(&self, key: RequestKey) -> Result<(), EmployeeError> {
        self.store.settle(&key).await
    }

    async fn withdraw(&self, key: RequestKey) -> Result<(), EmployeeError> {
        self.store.withdraw(&key).await
    }

    async fn import(&self, records: Vec<Record>) -> Result<Imported, EmployeeError> {
        for record in &records {
            record.validate().map_err(|error| match error {
                EmployeeError::Invalid(why) => {
                    EmployeeError::Invalid(format!("employee {}: {why}", record.number))
                }
                other => other,
            })?;
        }
        self.store.import(&records).await
    }

    async fn get(&self, number: EmployeeNumber) -> Result<Employee, EmployeeError> {
        self.store.get(number).await
    }

    async fn list(
        &self,
        filter: Filter,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page, EmployeeError> {
        let limit = limit.clamp(1, LARGEST_PAGE);
        self.store.list(&filter, after, limit).await
    }

    async fn count(&self, filter: Filter) -> Result<u64, EmployeeError> {
        self.store.count(&filter).await
    }

    async fn transfer(
        &self,
        number: EmployeeNumber,
        to: Transfer,
    ) -> Result<Employee, EmployeeError> {
        to.validate()?;
        self.store.transfer(number, &to).await
    }

    async fn terminate(&self, number: EmployeeNumber) -> Result<Employee, EmployeeError> {
        self.store.terminate(number).await
    }
}
