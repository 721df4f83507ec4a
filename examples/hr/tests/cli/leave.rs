use tempfile::TempDir;

use crate::process::{fail, succeed};

#[tokio::test]
async fn days_are_granted_requested_and_decided() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    for (line, expected) in [
        (
            "grant 7 30 --key 2026",
            "employee 7: 30 days available (30 entitled, 0 taken, 0 pending)",
        ),
        (
            "grant 7 30 --key 2026",
            "employee 7: 30 days available (30 entitled, 0 taken, 0 pending)",
        ),
        ("request 7 10", "request 1: employee 7, 10 days, pending"),
        ("request 7 20", "request 2: employee 7, 20 days, pending"),
        ("approve 1", "request 1: employee 7, 10 days, approved"),
        ("reject 2", "request 2: employee 7, 20 days, rejected"),
        (
            "balance 7",
            "employee 7: 20 days available (30 entitled, 10 taken, 0 pending)",
        ),
    ] {
        let told = succeed(folder, &format!("leave {line}")).await;
        assert_eq!(told, format!("{expected}\n"), "hr leave {line}");
    }
    for (line, expected) in [
        ("request 7 21", "has 20 available"),
        ("reject 1", "is approved already"),
        ("approve 3", "there is no leave request 3"),
        ("balance 8", "grant days first"),
        ("grant 7 90", "1 to 60 days"),
    ] {
        let told = fail(folder, &format!("leave {line}")).await;
        assert!(told.contains(expected), "hr leave {line}: {told}");
    }
}
