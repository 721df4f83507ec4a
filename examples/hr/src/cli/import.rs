use std::path::PathBuf;

use clap::Args;

use super::{
    Console, Failure,
    place::{Found, Place},
    skipped::Skipped,
};
use crate::{
    employee::{EmployeeService, Imported},
    import::{Progress, Sheet},
};

/// Import people from a CSV file, plain or gzipped
///
/// The columns are found by name: EmployeeNumber, Age, Gender, MaritalStatus, EducationField, Department, JobRole,
/// JobLevel, MonthlyIncome, OverTime, YearsAtCompany, Attrition; others are not looked at. Rows that cannot be used
/// are told by line and skipped; the last line says how many, and why. All others are imported, or none of them; people
/// whose number is there already are left as they are. With --registry, a file of up to 20,000 rows can be imported.
///
/// The exit code is 0 when at least one row could be used; with --strict, when all could.
#[derive(Args, Debug)]
pub(super) struct Import {
    /// The file
    file: PathBuf,
    /// Import nothing, and fail, when there is a row that cannot be used
    #[arg(long)]
    strict: bool,
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
        if self.strict && !faults.is_empty() {
            return Err(Failure::Strict(Skipped(&faults).to_string()));
        }
        if records.len() > most {
            let rows = records.len();
            return Err(Failure::TooManyRows { rows, most });
        }
        let Imported {
            imported,
            already_there,
        } = employees.import(records).await?;
        let skipped = Skipped(&faults);
        Ok(console.line(format_args!(
            "{imported} imported, {already_there} already there, {skipped} skipped"
        ))?)
    }

    fn read(&self) -> Result<Sheet, Failure> {
        let progress = Progress::on_terminal();
        let sheet = tokio::task::block_in_place(|| Sheet::read(&self.file, &progress));
        progress.finish();
        Ok(sheet?)
    }
}
