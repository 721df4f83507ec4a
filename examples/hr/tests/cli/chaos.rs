use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::time::sleep;

use crate::process::{Demo, fail, succeed, survive};

const LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// Command lines of the processes that work in this folder; none where the system does not tell.
fn processes(folder: &Path) -> Vec<String> {
    let Ok(all) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let lines = all.filter_map(|process| fs::read(process.ok()?.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains("serve") && line.contains(folder.to_str().unwrap()))
        .collect()
}

/// The numbers in a column of the lines that begin so, added up.
fn sum(told: &str, beginnings: &[&str], column: usize) -> u64 {
    let rows = told.lines().map(|line| line.split_whitespace().collect());
    let rows = rows.filter(|row: &Vec<_>| {
        row.first().is_some_and(|first| beginnings.contains(first)) && row.len() > column
    });
    rows.filter_map(|row| row[column].parse::<u64>().ok()).sum()
}

/// Whether a line of the log says that a call failed, as calls do whose replica is killed or paused.
fn lost_call(line: &str) -> bool {
    line.contains(" WARN doge::call: call failed ")
}

#[tokio::test]
async fn amid_chaos_nobody_is_lost_and_nothing_is_left() {
    let folder = TempDir::new().unwrap();
    // With this seed each service begins with another blow.
    let told = survive(folder.path(), "demo --chaos --seconds 6 --seed 101").await;
    let (done, made) = told.split_once("\ncall ").expect(&told);
    let services = ["employee", "leave", "onboarding"];
    for blow in 1..=4 {
        assert!(sum(done, &services, blow) > 0, "{told}");
    }
    assert!(
        sum(made, &["employee/get", "leave/balance"], 2) > 0,
        "{told}"
    );
    assert!(sum(made, &["employee"], 2) > 0, "{told}");
    assert_eq!(told.matches("\nkept    ").count(), 7, "{told}");
    assert!(!told.contains("BROKEN"), "{told}");
    assert_eq!(processes(folder.path()), Vec::<String>::new());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn interrupted_it_leaves_no_process_and_no_file() {
    let folder = TempDir::new().unwrap();
    let mut demo = Demo::start(folder.path(), "demo --chaos --replicas 2");
    let told = demo.line_with("for ").await;
    if cfg!(target_os = "linux") {
        assert!(!processes(folder.path()).is_empty(), "{told}");
    }
    let ended = demo.interrupt().await;
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    let (calls, last): (Vec<_>, Vec<_>) = ended.err.lines().partition(|line| lost_call(line));
    assert_eq!(last, ["hr: interrupted"], "beside {calls:#?}");
    assert_eq!(processes(folder.path()), Vec::<String>::new());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn killed_it_leaves_no_process() {
    let folder = TempDir::new().unwrap();
    let mut demo = Demo::start(folder.path(), "demo --chaos --replicas 2");
    let told = demo.line_with(" run").await;
    if cfg!(target_os = "linux") {
        assert!(!processes(folder.path()).is_empty(), "{told}");
    }
    demo.kill().await;
    let give_up = Instant::now() + LIMIT;
    while !processes(folder.path()).is_empty() {
        assert!(Instant::now() < give_up, "{:?}", processes(folder.path()));
        sleep(PAUSE).await;
    }
}

#[tokio::test]
async fn what_cannot_be_played_is_told() {
    let folder = TempDir::new().unwrap();
    let told = fail(folder.path(), "demo --seconds 5").await;
    assert!(told.contains("--chaos"), "{told}");
    let told = fail(folder.path(), "demo --chaos --registry memory:").await;
    assert!(told.contains("use file:DIR"), "{told}");
    succeed(folder.path(), "demo --keep kept").await;
    let told = fail(folder.path(), "demo --chaos --keep kept").await;
    assert!(
        told.contains("2 people are in the folder already"),
        "{told}"
    );
    fs::write(folder.path().join("letter"), "").unwrap();
    let told = fail(folder.path(), "demo --chaos --registry file:letter").await;
    assert!(told.contains("ended when it was started"), "{told}");
    assert!(told.contains("letter"), "what the replica said: {told}");
}
