use doge_rpc::service;

use super::{Balance, Grant, LeaveError, LeaveRequest, NewRequest, RequestId};
use crate::identity::{EmployeeNumber, RequestKey};

/// Days off. However many ask at once, nobody gets days that are not there.
#[service(name = "hr.leave", version = "1")]
pub trait LeaveService {
    /// Entitles an employee to more days. Said again with the same key, it adds nothing.
    #[rpc(idempotent)]
    async fn grant(&self, grant: Grant) -> Result<Balance, LeaveError>;

    /// Undoes the grant of this key, also one that has not arrived yet: it is refused when it does.
    #[rpc(idempotent)]
    async fn revoke(&self, key: RequestKey) -> Result<(), LeaveError>;

    /// Asks for days, which are set aside until somebody decides. Said again with the same key, it returns the
    /// request that the first one made.
    #[rpc(idempotent)]
    async fn request(&self, request: NewRequest) -> Result<LeaveRequest, LeaveError>;

    /// Approves a pending request; an approved one stays so.
    #[rpc(idempotent)]
    async fn approve(&self, id: RequestId) -> Result<LeaveRequest, LeaveError>;

    /// Rejects a pending request, which frees its days; a rejected one stays so.
    #[rpc(idempotent)]
    async fn reject(&self, id: RequestId) -> Result<LeaveRequest, LeaveError>;

    /// How an employee stands.
    #[rpc(idempotent)]
    async fn balance(&self, employee: EmployeeNumber) -> Result<Balance, LeaveError>;
}
