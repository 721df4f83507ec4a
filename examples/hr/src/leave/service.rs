use std::path::Path;

use super::{
    Balance, Grant, LeaveError, LeaveRequest, LeaveService, NewRequest, RequestId, RequestState,
    store::LeaveStore,
};
use crate::{
    OpenError,
    identity::{EmployeeNumber, RequestKey},
};

/// The leave service over a SQLite database of its own. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Leave {
    store: LeaveStore,
}

impl Leave {
    /// Opens `leave.db` in this folder; both are made when they are not there.
    ///
    /// # Errors
    ///
    /// When the folder or the file cannot be used.
    pub async fn open(folder: &Path) -> Result<Self, OpenError> {
        let store = LeaveStore::open(folder).await?;
        Ok(Self { store })
    }

    /// Closes the database, once what runs on it is done; calls that come later fail.
    pub async fn close(&self) {
        self.store.close().await;
    }
}

impl LeaveService for Leave {
    async fn grant(&self, grant: Grant) -> Result<Balance, LeaveError> {
        grant.validate()?;
        self.store.grant(&grant).await
    }

    async fn revoke(&self, key: RequestKey) -> Result<(), LeaveError> {
        self.store.revoke(&key).await
    }

    async fn request(&self, request: NewRequest) -> Result<LeaveRequest, LeaveError> {
        request.validate()?;
        self.store.request(&request).await
    }

    async fn approve(&self, id: RequestId) -> Result<LeaveRequest, LeaveError> {
        self.store.decide(id, RequestState::Approved).await
    }

    async fn reject(&self, id: RequestId) -> Result<LeaveRequest, LeaveError> {
        self.store.decide(id, RequestState::Rejected).await
    }

    async fn balance(&self, employee: EmployeeNumber) -> Result<Balance, LeaveError> {
        self.store.balance(employee).await
    }
}
