//! A leave service that fails as a test says, around a real one.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use doge_rpc::Status;
use hr::{
    identity::{EmployeeNumber, RequestKey},
    leave::{Balance, Grant, Leave, LeaveError, LeaveRequest, LeaveService, NewRequest, RequestId},
};
use tokio::sync::Notify;

/// A leave service that does what it is asked and then loses the answer, so many times.
#[derive(Clone)]
pub(crate) struct LossyLeave {
    pub(crate) leave: Leave,
    pub(crate) grants_to_lose: Arc<AtomicU32>,
    pub(crate) revokes_to_lose: Arc<AtomicU32>,
    /// Told when a grant has begun, and what it then waits for.
    pub(crate) gate: Option<Arc<(Notify, Notify)>>,
}

impl LossyLeave {
    pub(crate) fn new(leave: Leave, grants_to_lose: u32, revokes_to_lose: u32) -> Self {
        Self {
            leave,
            grants_to_lose: Arc::new(grants_to_lose.into()),
            revokes_to_lose: Arc::new(revokes_to_lose.into()),
            gate: None,
        }
    }
}

fn lost() -> Status {
    Status::unavailable("the connection was lost")
}

/// Whether this one is to be lost.
fn loses(left: &AtomicU32) -> bool {
    let one_less = |left: u32| left.checked_sub(1);
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
        .is_ok()
}

impl LeaveService for LossyLeave {
    async fn grant(&self, grant: Grant) -> Result<Balance, LeaveError> {
        if let Some(gate) = &self.gate {
            gate.0.notify_one();
            gate.1.notified().await;
        }
        let granted = self.leave.grant(grant).await;
        if loses(&self.grants_to_lose) {
            return Err(lost().into());
        }
        granted
    }

    async fn revoke(&self, key: RequestKey) -> Result<(), LeaveError> {
        if loses(&self.revokes_to_lose) {
            return Err(lost().into());
        }
        self.leave.revoke(key).await
    }

    async fn request(&self, request: NewRequest) -> Result<LeaveRequest, LeaveError> {
        self.leave.request(request).await
    }

    async fn approve(&self, id: RequestId) -> Result<LeaveRequest, LeaveError> {
        self.leave.approve(id).await
    }

    async fn reject(&self, id: RequestId) -> Result<LeaveRequest, LeaveError> {
        self.leave.reject(id).await
    }

    async fn balance(&self, employee: EmployeeNumber) -> Result<Balance, LeaveError> {
        self.leave.balance(employee).await
    }
}
