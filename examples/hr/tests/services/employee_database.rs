//! What is on the disk.

use doge_rpc::Code;
use futures_util::future::join_all;
use hr::employee::{EmployeeError, EmployeeService, Employees, Filter};
use tempfile::TempDir;

use crate::{employee::open, people::hire};

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
