use doge_rpc::service;

use super::{Cursor, Employee, EmployeeError, Filter, Hire, Imported, Page, Record, Transfer};
use crate::identity::{EmployeeNumber, RequestKey};

/// Who works here, as what.
///
/// What reads is quick, and asked of a second instance when it is not. What writes may have to wait for the writer of
/// another instance on the same database, which a second one would not shorten.
#[service(name = "hr.employee", version = "1")]
pub trait EmployeeService {
    /// Hires a person. Said again with the same key, it returns the employee that the first one made.
    #[rpc(idempotent, retries = 3, timeout = "5s")]
    async fn hire(&self, hire: Hire) -> Result<Employee, EmployeeError>;

    /// Makes the hire of this key final: it cannot be withdrawn any more. Of this and `withdraw`, the first one counts.
    #[rpc(idempotent, retries = 3, timeout = "5s")]
    async fn settle(&self, key: RequestKey) -> Result<(), EmployeeError>;

    /// Undoes the hire of this key, also one that has not arrived yet: it is refused when it does.
    #[rpc(idempotent, retries = 3, timeout = "5s")]
    async fn withdraw(&self, key: RequestKey) -> Result<(), EmployeeError>;

    /// Takes people over from another system, all of them or none. Those whose number is there already are left as
    /// they are.
    #[rpc(idempotent, timeout = "60s")]
    async fn import(&self, records: Vec<Record>) -> Result<Imported, EmployeeError>;

    /// Looks an employee up.
    #[rpc(idempotent, hedge = "p95", timeout = "2s")]
    async fn get(&self, number: EmployeeNumber) -> Result<Employee, EmployeeError>;

    /// Employees by number, the first `limit` of those behind the cursor; at most 500 in one page.
    #[rpc(idempotent, hedge = "p95", timeout = "2s")]
    async fn list(
        &self,
        filter: Filter,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page, EmployeeError>;

    /// How many employees there are.
    #[rpc(idempotent, hedge = "p95", timeout = "2s")]
    async fn count(&self, filter: Filter) -> Result<u64, EmployeeError>;

    /// Moves an active employee to another department or role.
    async fn transfer(
        &self,
        number: EmployeeNumber,
        to: Transfer,
    ) -> Result<Employee, EmployeeError>;

    /// Ends the employment of an active employee, who stays on file.
    async fn terminate(&self, number: EmployeeNumber) -> Result<Employee, EmployeeError>;
}
