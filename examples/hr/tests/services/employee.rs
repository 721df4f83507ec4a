use std::collections::HashSet;

use futures_util::future::join_all;
use hr::employee::{EmployeeError, EmployeeService, Employees, Filter, Transfer};
use tempfile::TempDir;

use crate::people::{hire, key, number, person, record};

pub(crate) async fn open() -> (TempDir, Employees) {
    let folder = TempDir::new().unwrap();
    let employees = Employees::open(folder.path()).await.unwrap();
    (folder, employees)
}

pub(crate) fn to(department: &str) -> Transfer {
    Transfer {
        department: department.to_owned(),
        job_role: "Clerk".to_owned(),
    }
}

#[tokio::test]
async fn a_repeated_hire_makes_the_person_once() {
    let (_folder, employees) = open().await;
    let hires = (0..20).map(|_| employees.hire(hire("Ada", "Research")));
    let numbers: HashSet<_> = join_all(hires)
        .await
        .into_iter()
        .map(|hired| hired.unwrap().number)
        .collect();
    assert_eq!(numbers.len(), 1);
    assert_eq!(employees.count(Filter::default()).await.unwrap(), 1);

    // Also when the person has moved on since.
    let moved = employees.transfer(number(1), to("Sales")).await.unwrap();
    assert_eq!(
        employees.hire(hire("Ada", "Research")).await.unwrap(),
        moved
    );

    let mut other = hire("Ada", "Research");
    other.person = person("Grace");
    let refused = employees.hire(other).await;
    assert_eq!(refused, Err(EmployeeError::KeyReused(key("Ada"))));
}

#[tokio::test]
async fn a_number_is_of_one_person() {
    let (_folder, employees) = open().await;
    let mut ada = hire("Ada", "Research");
    ada.number = Some(number(7));
    assert_eq!(employees.hire(ada).await.unwrap().number, number(7));
    let mut bob = hire("Bob", "Research");
    bob.number = Some(number(7));
    let refused = employees.hire(bob.clone()).await;
    assert_eq!(refused, Err(EmployeeError::NumberTaken(number(7))));

    bob.number = None;
    assert_eq!(employees.hire(bob).await.unwrap().number, number(8));
    employees.withdraw(key("Bob")).await.unwrap();
    let grace = employees.hire(hire("Grace", "Research")).await.unwrap();
    assert_eq!(
        grace.number,
        number(9),
        "a number that was out is not given again"
    );
}

#[tokio::test]
async fn a_withdrawn_hire_stays_withdrawn() {
    let (_folder, employees) = open().await;
    let withdrawn = Err(EmployeeError::Withdrawn(key("Ada")));
    employees.hire(hire("Ada", "Research")).await.unwrap();
    employees.withdraw(key("Ada")).await.unwrap();
    employees.withdraw(key("Ada")).await.unwrap();
    assert_eq!(employees.count(Filter::default()).await.unwrap(), 0);
    assert_eq!(employees.hire(hire("Ada", "Research")).await, withdrawn);

    employees.withdraw(key("Bob")).await.unwrap();
    let late = employees.hire(hire("Bob", "Research")).await;
    assert_eq!(late, Err(EmployeeError::Withdrawn(key("Bob"))));
}

#[tokio::test]
async fn a_hire_with_a_history_is_not_withdrawn() {
    let (_folder, employees) = open().await;
    employees.hire(hire("Ada", "Research")).await.unwrap();
    employees.transfer(number(1), to("Sales")).await.unwrap();
    let refused = employees.withdraw(key("Ada")).await;
    assert_eq!(refused, Err(EmployeeError::Settled(number(1))));
    let again = employees.hire(hire("Ada", "Research")).await.unwrap();
    assert_eq!(
        again.position.department, "Sales",
        "the refusal left no trace"
    );
}

#[tokio::test]
async fn a_hire_is_settled_or_withdrawn_whichever_comes_first() {
    let (_folder, employees) = open().await;
    let unknown = employees.settle(key("Ada")).await;
    assert_eq!(unknown, Err(EmployeeError::NoHire(key("Ada"))));
    let ada = employees.hire(hire("Ada", "Research")).await.unwrap();
    employees.settle(key("Ada")).await.unwrap();
    employees.settle(key("Ada")).await.unwrap();
    let refused = employees.withdraw(key("Ada")).await;
    assert_eq!(refused, Err(EmployeeError::Settled(number(1))));
    assert_eq!(employees.hire(hire("Ada", "Research")).await, Ok(ada));

    employees.hire(hire("Bob", "Research")).await.unwrap();
    employees.withdraw(key("Bob")).await.unwrap();
    let late = employees.settle(key("Bob")).await;
    assert_eq!(late, Err(EmployeeError::Withdrawn(key("Bob"))));
}

#[tokio::test]
async fn an_import_with_one_bad_record_imports_nobody() {
    let (_folder, employees) = open().await;
    let mut bad = record(2);
    bad.person.age = 7;
    let refused = employees.import(vec![record(1), bad]).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "employee 2: age has to be 14 to 120, not 7"
    );
    assert_eq!(employees.count(Filter::default()).await.unwrap(), 0);
}

#[tokio::test]
async fn what_cannot_be_so_is_refused_by_name() {
    let (_folder, employees) = open().await;
    let mut nameless = hire("Ada", "Research");
    nameless.person.name = "  ".to_owned();
    let mut endless = hire("Ada", "Research");
    endless.position.job_role = "x".repeat(201);
    let mut lofty = hire("Ada", "Research");
    lofty.position.job_level = 21;
    for (hire, field) in [
        (nameless, "name"),
        (endless, "job role"),
        (lofty, "job level"),
    ] {
        let error = employees.hire(hire).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("{field} has to be ")), "{error}");
    }
    assert!(employees.transfer(number(1), to("")).await.is_err());
}
