use super::{Script, Unexpected, unexpected::check};
use crate::{
    employee::{EmployeeService as _, Filter},
    identity::EmployeeNumber,
    leave::LeaveError,
    onboarding::{Newcomer, OnboardingError, OnboardingService as _},
};

const ONBOARDING: &str = "hr.onboarding";

impl Script<'_> {
    /// Says it twice, as a client would that lost the first answer.
    pub(super) async fn onboard(
        &mut self,
        newcomer: Newcomer,
    ) -> Result<EmployeeNumber, Unexpected> {
        let onboarding = &self.clients.onboarding;
        let (name, days) = (&newcomer.person.name, newcomer.leave_days);
        let hired = self
            .report
            .step(format!("onboard {name}"), ONBOARDING, async {
                let done = onboarding.onboard(newcomer.clone()).await?;
                let number = done.employee.number;
                let available = done.leave.available;
                check(available == days, || format!("{available} days available"))?;
                Ok((done, format!("employee {number} with {days} days of leave")))
            });
        let hired = hired.await?;
        let again = self.report.step("  and again", ONBOARDING, async {
            let again = onboarding.onboard(newcomer.clone()).await?;
            check(again == hired, || {
                format!("another employee {}", again.employee.number)
            })?;
            Ok((
                (),
                "the same employee, as the request key is known".to_owned(),
            ))
        });
        again.await?;
        Ok(hired.employee.number)
    }

    /// The hire succeeds, the grant is refused, and the hire is undone.
    pub(super) async fn onboard_too_much_leave(
        &mut self,
        newcomer: Newcomer,
    ) -> Result<(), Unexpected> {
        let Newcomer {
            person, leave_days, ..
        } = &newcomer;
        let step = format!("onboard {} with {leave_days} days", person.name);
        let (employees, onboarding) = (&self.clients.employees, &self.clients.onboarding);
        let before = employees.count(Filter::default()).await?;
        let refused = self.report.step(step, ONBOARDING, async {
            match onboarding.onboard(newcomer.clone()).await {
                Err(OnboardingError::Undone(cause @ LeaveError::InvalidDays { .. })) => {
                    Ok(((), format!("hire undone: {cause}")))
                }
                Err(other) => Err(other.into()),
                Ok(done) => Err(Unexpected::new(format!(
                    "employee {}",
                    done.employee.number
                ))),
            }
        });
        refused.await?;
        let gone = self
            .report
            .step("  and count employees", "hr.employee", async {
                let after = employees.count(Filter::default()).await?;
                check(after == before, || {
                    format!("{after} employees, and {before} before")
                })?;
                Ok(((), format!("{after}, as before")))
            });
        gone.await
    }
}
