use std::path::Path;

use tempfile::TempDir;

use crate::process::{fail, succeed};

fn files(folder: &Path) -> Vec<String> {
    let names = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn the_demo_succeeds_and_leaves_no_files() {
    let folder = TempDir::new().unwrap();
    let told = succeed(folder.path(), "demo").await;
    for expected in [
        "hr.employee at tcp://127.0.0.1:",
        "hire undone: a grant is of 1 to 60 days, not 90",
        "2 set aside, 6 refused; 0 of 30 days left",
        "employee 2 in Sales as Sales Executive",
        "refused: employee 2 is terminated",
    ] {
        assert!(told.contains(expected), "{expected:?} is not in:\n{told}");
    }
    assert_eq!(files(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn what_the_demo_keeps_can_be_looked_at_and_played_on() {
    let folder = TempDir::new().unwrap();
    succeed(folder.path(), "demo --keep kept").await;
    assert_eq!(
        succeed(folder.path(), "employees --data kept --count").await,
        "2\n"
    );
    succeed(folder.path(), "demo --data kept").await;
    let listed = succeed(folder.path(), "employees --data kept --status terminated").await;
    assert!(
        listed.contains("Grace") && listed.ends_with("2 of 2 employees\n"),
        "{listed}"
    );
    assert_eq!(files(folder.path()), ["kept"]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_is_told() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let told = fail(folder.path(), "demo --keep file").await;
    assert!(told.starts_with("hr: ") && told.contains("file"), "{told}");
}
