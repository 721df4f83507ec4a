use doge_rpc::service;

use super::{Balance, Grant, LeaveError, LeaveRequest, NewRequest, RequestId};
use crate::identity::{EmployeeNumber, RequestKey};

/// Days off. However many ask at once, nobody gets days that are not there.
///
/// Times and repetitions are those of the employee service, for the same reasons.
#[service(name = "hr.leave", version = "1")]
pub trait LeaveService {
    /// Entitles an employee to more days. Said again with the same key, it adds nothing.
    #[rpc(idempotent, retries = 3, timeout = "5s")]
    async fn grant(&self, grant: Grant) -> Result<Balance, LeaveError>;

    /// Undoes the grant of this key, also one that has not arrived yet: it is refused when it does.
    #[rpc(idempotent, retries = 3, timeout = "5s")]
    async fn revoke(&self, key: RequestKey) -> Result<(), LeaveError>;

    /// Asks for days, which are set aside until somebody decides. Said again with the same key, it returns the
    /// request that the first one made.
    #[rpc(idempotent, retries = 3, timeout = "5s")]
    async fn request(&self, request: NewRequest) -> Result<LeaveRequest, LeaveError>;

    /// Approves a pending request; an approved one stays so.
    #[rpc(idempotent, retries = 3, timeout = "5s")]
    async fn approve(&self, id: RequestId) -> Result<LeaveRequest, LeaveError>;

    /// Rejects a pending request, which frees its days; a rejected one stays so.
    #[rpc(idempotent, retries = 3, timeout = "5s")]
    async fn reject(&self, id: RequestId) -> Result<LeaveRequest, LeaveError>;

    /// How an employee stands.
    #[rpc(idempotent, hedge = "p95", timeout = "2s")]
    async fn balance(&self, employee: EmployeeNumber) -> Result<Balance, LeaveError>;
}
