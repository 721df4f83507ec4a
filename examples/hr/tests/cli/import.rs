use std::{io::Write as _, path::Path};

use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

use crate::{
    process::{Server, fail, hr, succeed},
    sheets::{row, row_with, sheet},
};

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

#[tokio::test]
async fn people_are_imported_counted_and_listed() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    write(folder, "people.csv", &sheet((1..=700).map(row)));
    let told = succeed(folder, "import people.csv").await;
    assert_eq!(told, "700 imported, 0 already there, 0 rows skipped\n");
    assert_eq!(succeed(folder, "employees --count").await, "700\n");
    assert_eq!(
        succeed(folder, "employees --count --department Sales").await,
        "700\n"
    );
    assert_eq!(
        succeed(folder, "employees --count --department Research").await,
        "0\n"
    );
    let listed = succeed(folder, "employees --limit 650").await;
    assert_eq!(listed.lines().count(), 2 + 650 + 1);
    assert!(listed.ends_with("650 of 700 employees\n"));

    let told = succeed(folder, "import people.csv").await;
    assert_eq!(told, "0 imported, 700 already there, 0 rows skipped\n");
    assert_eq!(succeed(folder, "employees --count").await, "700\n");
}

#[tokio::test]
async fn bad_rows_are_reported_by_line_and_the_good_ones_imported() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let rows = [row(1), row_with("2", "unknown", "No"), row(3)];
    write(folder, "people.csv", &sheet(rows));
    let ended = hr(folder, ["import", "people.csv"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let fault = "line 3: Age: \"unknown\" is no whole number that fits here";
    let last = format!("2 imported, 0 already there, 1 row ({fault}) skipped\n");
    assert_eq!(ended.out, last);
    let fault = format!("people.csv {fault}\n");
    assert_eq!(
        ended.err, fault,
        "and no progress bar, as this is no terminal"
    );

    write(folder, "bad.csv", &sheet([row_with("9", "unknown", "No")]));
    let told = fail(folder, "import bad.csv").await;
    assert!(
        told.contains("line 2") && told.contains("nothing was imported"),
        "{told}"
    );
    assert_eq!(succeed(folder, "employees --count").await, "2\n");
}

#[tokio::test]
async fn strictly_all_rows_are_imported_or_none() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let bad = |number| row_with(number, "unknown", "No");
    let rows = [row(1), bad("2"), bad("3"), row_with("4", "36", "Maybe")];
    write(folder, "people.csv", &sheet(rows));
    let told = fail(folder, "import people.csv --strict").await;
    let last = "hr: 3 rows (2 for Age, 1 for Attrition) cannot be used; nothing was imported";
    assert!(told.lines().last().unwrap().starts_with(last), "{told}");
    assert_eq!(succeed(folder, "employees --count").await, "0\n");

    write(folder, "good.csv", &sheet([row(1), row(2)]));
    let told = succeed(folder, "import good.csv --strict").await;
    assert_eq!(told, "2 imported, 0 already there, 0 rows skipped\n");
}

#[tokio::test]
async fn a_gzipped_file_is_imported_like_a_plain_one() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let file = std::fs::File::create(folder.join("people.csv.gz")).unwrap();
    let mut gzip = GzEncoder::new(file, Compression::fast());
    gzip.write_all(sheet((1..=9).map(row)).as_bytes()).unwrap();
    gzip.finish().unwrap();
    let told = succeed(folder, "import people.csv.gz").await;
    assert_eq!(told, "9 imported, 0 already there, 0 rows skipped\n");
}

#[tokio::test]
async fn a_file_too_large_for_a_call_is_imported_where_the_database_is() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    write(folder, "people.csv", &sheet((1..=20_001).map(row)));
    let server = Server::start(folder, &["employee"]).await;
    let told = fail(folder, "import people.csv --registry file:registry").await;
    assert!(told.contains("--data, or in parts"), "{told}");
    write(folder, "part.csv", &sheet((1..=20_000).map(row)));
    succeed(folder, "import part.csv --registry file:registry").await;
    let told = succeed(folder, "import people.csv --data data").await;
    assert_eq!(told, "1 imported, 20000 already there, 0 rows skipped\n");
    assert_eq!(server.stop("TERM").await, Some(0));
}

#[tokio::test]
async fn mistakes_are_told_with_their_mend() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    write(folder, "salaries.csv", "emp_no,salary\n1,2\n");
    for (line, expected) in [
        ("import nowhere.csv", "cannot open nowhere.csv"),
        ("import salaries.csv", "lacks the columns EmployeeNumber"),
        (
            "employees --registry file:empty",
            "hr serve employee --registry file:empty",
        ),
        ("employees --registry etc", "accepted are memory:, file:DIR"),
        ("employees --registry memory:", "use file:DIR"),
        ("employees --status gone", "write active or terminated"),
        (
            "employees --registry file:x --data y",
            "cannot be used with",
        ),
        ("leave grant 0 30", "write a whole number from 1"),
        (
            "serve payroll --registry file:x",
            "employee, leave, onboarding",
        ),
        (
            "serve leave --registry file:x --listen 0:0",
            "--listen: address \"0:0\" has no scheme: write tcp://host:port",
        ),
        (
            "serve leave --registry file:x --advertise 0:0",
            "--advertise: address \"0:0\" has no scheme: write tcp://host:port",
        ),
        (
            "serve leave --registry file:x --listen tcp://0.0.0.0:0",
            "say where they can with --advertise tcp://HOST:PORT",
        ),
    ] {
        let told = fail(folder, line).await;
        assert!(told.contains(expected), "hr {line}: {told}");
        assert!(!told.contains("::"), "a name of the library: {told}");
    }
    #[cfg(not(feature = "etcd"))]
    {
        let told = fail(folder, "employees --registry etcd://user:secret@127.0.0.1").await;
        assert!(told.contains("--features etcd"), "{told}");
        assert!(
            !told.contains("etcd://") && !told.contains("secret"),
            "{told}"
        );
    }
    assert_eq!(succeed(folder, "employees --count").await, "0\n");
}
