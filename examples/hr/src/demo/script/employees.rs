use super::{Script, Unexpected, unexpected::check};
use crate::{
    employee::{EmployeeError, EmployeeService as _, Employment, Filter, Transfer},
    identity::EmployeeNumber,
};

const EMPLOYEE: &str = "hr.employee";

impl Script<'_> {
    pub(super) async fn transfer(&mut self, number: EmployeeNumber) -> Result<(), Unexpected> {
        let employees = &self.clients.employees;
        let transferred = self.report.step("transfer Grace", EMPLOYEE, async {
            let moved = employees.transfer(number, to_sales()).await?;
            let position = employees.get(number).await?.position;
            check(position == moved.position, || position.department.clone())?;
            let told = format!(
                "employee {number} in {} as {}",
                position.department, position.job_role
            );
            check(position.department == to_sales().department, || {
                told.clone()
            })?;
            Ok(((), told))
        });
        transferred.await
    }

    /// Page by page, of one employee each.
    pub(super) async fn list_in_pages(&mut self) -> Result<(), Unexpected> {
        let employees = &self.clients.employees;
        let listed = self.report.step("list in pages of one", EMPLOYEE, async {
            let (mut names, mut after) = (Vec::new(), None);
            loop {
                let page = employees.list(Filter::default(), after, 1).await?;
                names.extend(
                    page.employees
                        .into_iter()
                        .map(|employee| employee.person.name),
                );
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let count = employees.count(Filter::default()).await?;
            check(names.len() as u64 == count, || {
                format!("{} of {count}", names.len())
            })?;
            Ok(((), names.join(", ")))
        });
        listed.await
    }

    pub(super) async fn terminate(&mut self, number: EmployeeNumber) -> Result<(), Unexpected> {
        let employees = &self.clients.employees;
        let terminated = self.report.step("terminate Grace", EMPLOYEE, async {
            employees.terminate(number).await?;
            let employment = employees.get(number).await?.employment;
            let told = format!("employee {number} is {employment}, and on file");
            check(employment == Employment::Terminated, || told.clone())?;
            Ok(((), told))
        });
        terminated.await
    }

    pub(super) async fn transfer_in_vain(
        &mut self,
        number: EmployeeNumber,
    ) -> Result<(), Unexpected> {
        let employees = &self.clients.employees;
        let refused = self.report.step("  and transfer her", EMPLOYEE, async {
            match employees.transfer(number, to_sales()).await {
                Err(error @ EmployeeError::Terminated(_)) => Ok(((), format!("refused: {error}"))),
                Err(other) => Err(other.into()),
                Ok(moved) => Err(Unexpected::new(format!("in {}", moved.position.department))),
            }
        });
        refused.await
    }
}

fn to_sales() -> Transfer {
    Transfer {
        department: "Sales".to_owned(),
        job_role: "Sales Executive".to_owned(),
    }
}
