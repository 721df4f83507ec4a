use std::path::PathBuf;

use clap::Args;

use super::{
    Console, Failure,
    place::{Found, Place},
};
use crate::{
    employee::{EmployeeService, Imported},
    import::{Progress, Sheet},
};

/// Import people from a CSV file, plain or gzipped
///
/// The columns are found by name: EmployeeNumber, Age, Gender, MaritalStatus, EducationField, Department, JobRole,
/// JobLevel, MonthlyIncome, OverTime, YearsAtCompany, Attrition; others are not looked at. Rows that cannot be used
/// are told by line and skipped. All others are imported, or none of them; people whose number is there already are
/// left as they are. With --registry, a file of up to 20,000 rows can be imported.
#[derive(Args, Debug)]
pub(super) struct Import {
    /// The file
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// What one call carries with some room to spare: a message is of 8 MiB, a person of some 300 bytes.
const MOST_IN_A_CALL: usize = 20_000;

impl Import {
    pub(super) async fn run(self, console: &mut Console) -> Result<(), Failure> {
        match self.place.employees().await? {
            Found::Here(employees) => {
                let result = self.import(&employees, usize::MAX, console).await;
                employees.close().await;
                result
            }
            Found::There(employees) => self.import(&employees, MOST_IN_A_CALL, console).await,
        }
    }

    async fn import(
        &self,
        employees: &impl EmployeeService,
        most: usize,
        console: &mut Console,
    ) -> Result<(), Failure> {
        let Sheet { records, faults } = self.read()?;
        for fault in &faults {
            console.note(format_args!("{} {fault}", self.file.display()))?;
        }
        if records.is_empty() && !faults.is_empty() {
            return Err(Failure::NoRow);
        }
        if records.len() > most {
            let rows = records.len();
            return Err(Failure::TooManyRows { rows, most });
        }
        let Imported {
            imported,
            already_there,
        } = employees.import(records).await?;
        let skipped = faults.len();
        Ok(console.line(format_args!(
            "{imported} imported, {already_there} already there, {skipped} rows skipped"
        ))?)
    }

    fn read(&self) -> Result<Sheet, Failure> {
        let progress = Progress::on_terminal();
        let sheet = tokio::task::block_in_place(|| Sheet::read(&self.file, &progress));
        progress.finish();
        Ok(sheet?)
    }
}
