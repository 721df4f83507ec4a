//! An employee as a row.

use sqlx::{FromRow, Row, SqliteConnection, sqlite::SqliteRow};

use crate::{
    database::undecodable,
    employee::{Employee, Employment, Hire, Person, Position, Record},
    identity::{EmployeeNumber, RequestKey},
};

/// A row to insert.
pub(super) struct NewRow<'a> {
    hire_key: Option<&'a RequestKey>,
    number: Option<EmployeeNumber>,
    person: &'a Person,
    position: &'a Position,
    years_at_company: u8,
    employment: Employment,
}

impl NewRow<'_> {
    /// Inserts it; `None` when its number is taken.
    pub(super) async fn insert(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Option<Employee>, sqlx::Error> {
        sqlx::query_as(
            "INSERT INTO employee (
                 number, hire_key, name, age, gender, marital_status, education_field, department,
                 job_role, job_level, monthly_income, overtime, years_at_company, employment
             )
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
             ON CONFLICT (number) DO NOTHING
             RETURNING *",
        )
        .bind(self.number.map(EmployeeNumber::get))
        .bind(self.hire_key.map(RequestKey::as_str))
        .bind(&self.person.name)
        .bind(self.person.age)
        .bind(self.person.gender.as_str())
        .bind(self.person.marital_status.as_str())
        .bind(&self.person.education_field)
        .bind(&self.position.department)
        .bind(&self.position.job_role)
        .bind(self.position.job_level)
        .bind(self.position.monthly_income)
        .bind(self.position.overtime)
        .bind(self.years_at_company)
        .bind(self.employment.as_str())
        .fetch_optional(connection)
        .await
    }
}

impl<'a> From<&'a Hire> for NewRow<'a> {
    fn from(hire: &'a Hire) -> Self {
        Self {
            hire_key: Some(&hire.key),
            number: hire.number,
            person: &hire.person,
            position: &hire.position,
            years_at_company: 0,
            employment: Employment::Active,
        }
    }
}

impl<'a> From<&'a Record> for NewRow<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            hire_key: None,
            number: Some(record.number),
            person: &record.person,
            position: &record.position,
            years_at_company: record.years_at_company,
            employment: record.employment,
        }
    }
}

impl FromRow<'_, SqliteRow> for Employee {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let text = |column| row.try_get::<&str, _>(column);
        let number = EmployeeNumber::try_from(row.try_get::<u32, _>("number")?);
        Ok(Self {
            number: number.map_err(undecodable("number"))?,
            person: Person {
                name: row.try_get("name")?,
                age: row.try_get("age")?,
                gender: text("gender")?.parse().map_err(undecodable("gender"))?,
                marital_status: text("marital_status")?
                    .parse()
                    .map_err(undecodable("marital_status"))?,
                education_field: row.try_get("education_field")?,
            },
            position: Position {
                department: row.try_get("department")?,
                job_role: row.try_get("job_role")?,
                job_level: row.try_get("job_level")?,
                monthly_income: row.try_get("monthly_income")?,
                overtime: row.try_get("overtime")?,
            },
            years_at_company: row.try_get("years_at_company")?,
            employment: text("employment")?
                .parse()
                .map_err(undecodable("employment"))?,
            revision: row.try_get("revision")?,
        })
    }
}
