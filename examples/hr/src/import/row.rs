use std::{fmt::Display, str::FromStr};

use serde::Deserialize;

use crate::employee::{Employment, Person, Position, Record};

/// The columns that are used, by their names in the file; others are not looked at.
pub(super) const COLUMNS: [&str; 12] = [
    "EmployeeNumber",
    "Age",
    "Gender",
    "MaritalStatus",
    "EducationField",
    "Department",
    "JobRole",
    "JobLevel",
    "MonthlyIncome",
    "OverTime",
    "YearsAtCompany",
    "Attrition",
];

/// A row by the names of its columns.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Row<'a> {
    employee_number: &'a str,
    age: &'a str,
    gender: &'a str,
    marital_status: &'a str,
    education_field: &'a str,
    department: &'a str,
    job_role: &'a str,
    job_level: &'a str,
    monthly_income: &'a str,
    over_time: &'a str,
    years_at_company: &'a str,
    attrition: &'a str,
}

impl Row<'_> {
    /// The person of this row.
    ///
    /// # Errors
    ///
    /// What cannot be so, where, and what could.
    pub(super) fn record(&self) -> Result<Record, String> {
        let number = parsed("EmployeeNumber", self.employee_number)?;
        let record = Record {
            number,
            person: Person {
                name: format!("Employee {number}"),
                age: whole("Age", self.age)?,
                gender: parsed("Gender", self.gender)?,
                marital_status: parsed("MaritalStatus", self.marital_status)?,
                education_field: self.education_field.to_owned(),
            },
            position: Position {
                department: self.department.to_owned(),
                job_role: self.job_role.to_owned(),
                job_level: whole("JobLevel", self.job_level)?,
                monthly_income: whole("MonthlyIncome", self.monthly_income)?,
                overtime: yes_or_no("OverTime", self.over_time)?,
            },
            years_at_company: whole("YearsAtCompany", self.years_at_company)?,
            employment: match yes_or_no("Attrition", self.attrition)? {
                true => Employment::Terminated,
                false => Employment::Active,
            },
        };
        record.validate().map_err(|error| error.to_string())?;
        Ok(record)
    }
}

fn parsed<T: FromStr<Err: Display>>(column: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{column}: {error}"))
}

fn whole<T: FromStr>(column: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{column}: {text:?} is no whole number that fits here"))
}

fn yes_or_no(column: &str, text: &str) -> Result<bool, String> {
    match text {
        "Yes" => Ok(true),
        "No" => Ok(false),
        _ => Err(format!("{column}: {text:?} is not known; write Yes or No")),
    }
}
