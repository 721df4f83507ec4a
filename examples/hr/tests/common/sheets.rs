//! Made-up rows with the columns of the sample.

pub(crate) const HEADER: &str = "Age,Attrition,BusinessTravel,DailyRate,Department,DistanceFromHome,Education,EducationField,EmployeeCount,EmployeeNumber,EnvironmentSatisfaction,Gender,HourlyRate,JobInvolvement,JobLevel,JobRole,JobSatisfaction,MaritalStatus,MonthlyIncome,MonthlyRate,NumCompaniesWorked,Over18,OverTime,PercentSalaryHike,PerformanceRating,RelationshipSatisfaction,StandardHours,StockOptionLevel,TotalWorkingYears,TrainingTimesLastYear,WorkLifeBalance,YearsAtCompany,YearsInCurrentRole,YearsSinceLastPromotion,YearsWithCurrManager";

/// A good row.
pub(crate) fn row(number: u32) -> String {
    row_with(&number.to_string(), "30", "No")
}

pub(crate) fn row_with(number: &str, age: &str, attrition: &str) -> String {
    format!(
        "{age},{attrition},Travel_Rarely,800,Sales,4,3,Marketing,1,{number},3,Male,60,3,2,Sales Executive,4,Married,4200,9000,1,Y,No,12,3,2,80,1,8,2,3,5,3,1,2"
    )
}

/// A sheet of these rows, each on a line of its own.
pub(crate) fn sheet(rows: impl IntoIterator<Item = String>) -> String {
    let lines = std::iter::once(HEADER.to_owned()).chain(rows);
    lines.map(|line| line + "\r\n").collect()
}
