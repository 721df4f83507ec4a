//! The employee service as an onboarding calls it: counted, and with answers that are lost.

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
};

/// An employee service around a real one. It counts the steps of onboardings, and loses the answers of a step that a test
/// chooses, after the step is done.
#[derive(Clone)]
pub(crate) struct EmployeesDouble {
    employees: Employees,
    calls: Arc<[AtomicU32; 3]>,
    loses: Option<Step>,
}

/// The calls that an onboarding makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Hire,
    Settle,
    Withdraw,
}

impl EmployeesDouble {
    pub(crate) fn new(employees: Employees) -> Self {
        Self {
            employees,
            calls: Arc::default(),
            loses: None,
        }
    }

    pub(crate) fn losing(employees: Employees, step: Step) -> Self {
        Self {
            loses: Some(step),
            ..Self::new(employees)
        }
    }

    /// How many calls of this step there were.
    pub(crate) fn calls(&self, step: Step) -> u32 {
        self.calls[step as usize].load(Ordering::SeqCst)
    }

    async fn run<T>(
        &self,
        step: Step,
        call: impl Future<Output = Result<T, EmployeeError>>,
    ) -> Result<T, EmployeeError> {
        self.calls[step as usize].fetch_add(1, Ordering::SeqCst);
        let answer = call.await;
        match self.loses == Some(step) {
            true => Err(Status::unavailable("the connection was lost").into()),
            false => answer,
        }
    }
}

impl EmployeeService for EmployeesDouble {
    async fn hire(&self, hire: Hire) -> Result<Employee, EmployeeError> {
        self.run(Step::Hire, self.employees.hire(hire)).await
    }

    async fn settle(&self, key: RequestKey) -> Result<(), EmployeeError> {
        self.run(Step::Settle, self.employees.settle(key)).await
    }

    async fn withdraw(&self, key: RequestKey) -> Result<(), EmployeeError> {
        self.run(Step::Withdraw, self.employees.withdraw(key)).await
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
