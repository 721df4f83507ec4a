use futures_util::future::join_all;

use super::{Script, Unexpected, unexpected::check};
use crate::{
    identity::{EmployeeNumber, RequestKey},
    leave::{Balance, LeaveError, LeaveService as _, NewRequest, RequestId, RequestState},
};

const LEAVE: &str = "hr.leave";

/// How many ask at once for all the days that there are.
const RIVALS: usize = 8;

impl Script<'_> {
    pub(super) async fn take_leave(
        &mut self,
        employee: EmployeeNumber,
        days: u32,
    ) -> Result<(), Unexpected> {
        let request = self.request(employee, days).await?;
        let leave = &self.clients.leave;
        let approved = self.report.step("  and approve it", LEAVE, async {
            let approved = leave.approve(request).await?;
            check(approved.state == RequestState::Approved, || {
                approved.to_string()
            })?;
            Ok(((), told(leave.balance(employee).await?)))
        });
        approved.await
    }

    pub(super) async fn be_refused_leave(
        &mut self,
        employee: EmployeeNumber,
        days: u32,
    ) -> Result<(), Unexpected> {
        let leave = &self.clients.leave;
        let before = leave.balance(employee).await?;
        let request = self.request(employee, days).await?;
        let leave = &self.clients.leave;
        let rejected = self.report.step("  and reject it", LEAVE, async {
            leave.reject(request).await?;
            let after = leave.balance(employee).await?;
            check(after == before, || after.to_string())?;
            Ok(((), told(after)))
        });
        rejected.await
    }

    /// Everybody asks at once for half of what is left: two get it.
    pub(super) async fn overdraw(&mut self, employee: EmployeeNumber) -> Result<(), Unexpected> {
        let leave = &self.clients.leave;
        let days = leave.balance(employee).await?.available / 2;
        let step = format!("request {days} days {RIVALS} times at once");
        let overdrawn = self.report.step(step, LEAVE, async {
            let requests = (0..RIVALS).map(|_| leave.request(new_request(employee, days)));
            let (mut granted, mut refused) = (0, 0);
            for answer in join_all(requests).await {
                match answer {
                    Ok(_) => granted += 1,
                    Err(LeaveError::NotEnough { .. }) => refused += 1,
                    Err(other) => return Err(other.into()),
                }
            }
            let after = leave.balance(employee).await?;
            let text = format!("{granted} set aside, {refused} refused; {}", told(after));
            check(granted == 2 && after.available == 0, || text.clone())?;
            Ok(((), text))
        });
        overdrawn.await
    }

    async fn request(
        &mut self,
        employee: EmployeeNumber,
        days: u32,
    ) -> Result<RequestId, Unexpected> {
        let leave = &self.clients.leave;
        let asked = self
            .report
            .step(format!("request {days} days"), LEAVE, async {
                let request = leave.request(new_request(employee, days)).await?;
                check(request.state == RequestState::Pending, || {
                    request.to_string()
                })?;
                Ok((request.id, request.to_string()))
            });
        asked.await
    }
}

fn new_request(employee: EmployeeNumber, days: u32) -> NewRequest {
    NewRequest {
        key: RequestKey::random(),
        employee,
        days,
    }
}

fn told(balance: Balance) -> String {
    let Balance {
        entitled,
        available,
        ..
    } = balance;
    format!("{available} of {entitled} days left")
}
