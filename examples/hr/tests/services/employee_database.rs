//! What is on the disk.

use doge_rpc::{Code, Status};
use futures_util::future::join_all;
use hr::employee::{EmployeeError, EmployeeService, Employees, Filter};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::{
    employee::{open, to},
    people::{hire, key, record},
};

#[tokio::test]
async fn who_opens_a_new_folder_at_once_meets_the_same_people() {
    let folder = TempDir::new().unwrap();
    let opened = join_all((0..8).map(|_| Employees::open(folder.path()))).await;
    let opened: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
    let hires = opened.iter().enumerate().map(async |(index, employees)| {
        let name = format!("Person-{index}");
        employees.hire(hire(&name, "Research")).await
    });
    for hired in join_all(hires).await {
        hired.unwrap();
    }
    assert_eq!(opened[0].count(Filter::default()).await.unwrap(), 8);
}

#[tokio::test]
async fn people_are_there_after_a_restart_and_a_closed_database_says_so() {
    let (folder, employees) = open().await;
    let ada = employees.hire(hire("Ada", "Research")).await.unwrap();
    employees.close().await;
    match employees.get(ada.number).await {
        Err(EmployeeError::Status(status)) => assert_eq!(status.code(), Code::Unavailable),
        other => panic!("{other:?}"),
    }
    let files: Vec<_> = folder.path().read_dir().unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let employees = Employees::open(folder.path()).await.unwrap();
    assert_eq!(employees.get(ada.number).await.unwrap(), ada);
}

/// The status that a call ends with.
#[track_caller]
fn status<T: std::fmt::Debug>(result: Result<T, EmployeeError>) -> Status {
    match result {
        Err(EmployeeError::Status(status)) => status,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_database_that_is_taken_away_is_unavailable_until_it_is_back() {
    let (folder, employees) = open().await;
    let ada = employees.hire(hire("Ada", "Research")).await.unwrap();
    let (path, aside) = (
        folder.path().join("employee.db"),
        folder.path().join("aside"),
    );
    let away = async || {
        let all = [
            status(employees.get(ada.number).await),
            status(employees.list(Filter::default(), None, 1).await),
            status(employees.count(Filter::default()).await),
            status(employees.hire(hire("Bob", "Research")).await),
            status(employees.settle(key("Ada")).await),
            status(employees.withdraw(key("Ada")).await),
            status(employees.import(vec![record(7)]).await),
            status(employees.transfer(ada.number, to("Sales")).await),
            status(employees.terminate(ada.number).await),
        ];
        for status in all {
            assert_eq!(status.code(), Code::Unavailable, "{status}");
            let told = "the database of this instance cannot be used; its log says why";
            assert_eq!(status.message(), told);
        }
    };
    std::fs::rename(&path, &aside).unwrap();
    away().await;
    assert!(!path.exists(), "no other database is begun in its place");
    std::fs::write(&path, "").unwrap();
    away().await;
    std::fs::rename(&aside, &path).unwrap();
    assert_eq!(employees.get(ada.number).await.unwrap(), ada);
    assert_eq!(employees.count(Filter::default()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_statement_that_fails_is_internal_and_its_words_stay_here() {
    let (folder, employees) = open().await;
    let path = folder.path().join("employee.db");
    let other = SqliteConnectOptions::new().filename(path);
    let mut other = SqliteConnection::connect_with(&other).await.unwrap();
    sqlx::query("DROP TABLE employee")
        .execute(&mut other)
        .await
        .unwrap();
    for status in [
        status(employees.count(Filter::default()).await),
        status(employees.hire(hire("Ada", "Research")).await),
    ] {
        assert_eq!(status.code(), Code::Internal);
        let told = "a statement failed in the database; the log of the instance says why";
        assert_eq!(status.message(), told);
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("employee.db");
    let letter = "a letter to the works council, and no database".repeat(100);
    std::fs::write(&path, &letter).unwrap();
    let error = Employees::open(folder.path())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    assert!(error.contains("choose another data folder"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), letter);

    let below = path.join("data");
    let error = Employees::open(&below).await.unwrap_err().to_string();
    assert!(error.contains(below.to_str().unwrap()), "{error}");
}
