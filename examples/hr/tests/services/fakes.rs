//! Services that fail in ways that a test chooses, around ones that work.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use doge_rpc::Status;
use hr::{
    employee::{
        Cursor, Employee, EmployeeError, EmployeeService, Employees, Filter, Hire, Imported, Page,
        Record, Transfer,
    },
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

/// An employee service that does what it is asked and then loses the answers of one kind.
#[derive(Clone)]
pub(crate) struct LossyEmployees {
    pub(crate) employees: Employees,
    pub(crate) loses: Loses,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loses {
    Hires,
    Settlements,
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

impl EmployeeService for LossyEmployees {
    async fn hire(&self, hire: Hire) -> Result<Employee, EmployeeError> {
        let hired = self.employees.hire(hire).await;
        match self.loses {
            Loses::Hires => Err(lost().into()),
            Loses::Settlements => hired,
        }
    }

    async fn settle(&self, key: RequestKey) -> Result<(), EmployeeError> {
        let settled = self.employees.settle(key).await;
        match self.loses {
            Loses::Hires => settled,
            Loses::Settlements => Err(lost().into()),
        }
    }

    async fn withdraw(&self, key: RequestKey) -> Result<(), EmployeeError> {
        self.employees.withdraw(key).await
    }

    async fn import(&self, records: Vec<Record>) -> Result<Imported, EmployeeError> {
        self.employees.import(records).await
    }

    async fn get(&self, number: EmployeeNumber) -> Result<Employee, EmployeeError> {
        self.employees.get(number).await
    }

    async fn list(
        &self,
        filter: Filter,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page, EmployeeError> {
        self.employees.list(filter, after, limit).await
    }

    async fn count(&self, filter: Filter) -> Result<u64, EmployeeError> {
        self.employees.count(filter).await
    }

    async fn transfer(
        &self,
        number: EmployeeNumber,
        to: Transfer,
    ) -> Result<Employee, EmployeeError> {
        self.employees.transfer(number, to).await
    }

    async fn terminate(&self, number: EmployeeNumber) -> Result<Employee, EmployeeError> {
        self.employees.terminate(number).await
    }
}
