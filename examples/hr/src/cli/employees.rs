use clap::Args;

use super::{
    Console, Failure,
    place::{Found, Place},
};
use crate::{
    employee::{Employee, EmployeeService, Employment, Filter},
    table::Table,
};

/// List employees by number, or count them
#[derive(Args, Debug)]
pub(super) struct Employees {
    /// Print just how many there are
    #[arg(long)]
    count: bool,
    /// Only those of this department
    #[arg(long, value_name = "NAME")]
    department: Option<String>,
    /// Only those who are active, or terminated
    #[arg(long, value_name = "STATUS")]
    status: Option<Employment>,
    /// List this many at most
    #[arg(long, value_name = "N", default_value_t = 20, conflicts_with = "count")]
    limit: u32,
    #[command(flatten)]
    place: Place,
}

impl Employees {
    pub(super) async fn run(self, console: &mut Console) -> Result<(), Failure> {
        match self.place.employees().await? {
            Found::Here(employees) => {
                let result = self.show(&employees, console).await;
                employees.close().await;
                result
            }
            Found::There(employees) => self.show(&employees, console).await,
        }
    }

    async fn show(
        self,
        employees: &impl EmployeeService,
        console: &mut Console,
    ) -> Result<(), Failure> {
        let filter = Filter {
            department: self.department,
            employment: self.status,
        };
        let count = employees.count(filter.clone()).await?;
        if self.count {
            return Ok(console.line(count)?);
        }
        let listed = list(employees, filter, self.limit).await?;
        console.line(table(&listed))?;
        let shown = listed.len();
        Ok(console.line(format_args!("{shown} of {count} employees"))?)
    }
}

/// Up to so many employees, page by page.
async fn list(
    employees: &impl EmployeeService,
    filter: Filter,
    limit: u32,
) -> Result<Vec<Employee>, Failure> {
    let mut listed = Vec::new();
    let (mut left, mut after) = (limit, None);
    while left > 0 {
        let page = employees.list(filter.clone(), after, left).await?;
        let length = u32::try_from(page.employees.len()).unwrap_or(u32::MAX);
        left = left.saturating_sub(length);
        listed.extend(page.employees);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(listed)
}

fn table(employees: &[Employee]) -> Table<7> {
    let mut table = Table::new([
        "number",
        "name",
        "department",
        "role",
        "level",
        "income",
        "status",
    ]);
    for employee in employees {
        table.row([
            employee.number.to_string(),
            employee.person.name.clone(),
            employee.position.department.clone(),
            employee.position.job_role.clone(),
            employee.position.job_level.to_string(),
            employee.position.monthly_income.to_string(),
            employee.employment.to_string(),
        ]);
    }
    table
}
