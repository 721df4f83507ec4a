use std::io::{Read, stdin};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use crate::common::{instance, key, until};
use doge_registry::{File, Registry, Snapshot};

const FOLDER: &str = "DOGE_REGISTRY_TEST_FOLDER";

fn registry(folder: &Path) -> File {
    File::builder(folder)
        .ttl(Duration::from_secs(1))
        .scan_interval(Duration::from_millis(20))
        .build()
}

#[tokio::test]
async fn a_process_joins_and_once_killed_leaves_after_its_ttl() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(folder.path());
    let mut watch = registry.watch(key()).await.unwrap();
    let _own = registry
        .register(instance("tcp://watcher:1"))
        .await
        .unwrap();
    until(&mut watch, |snapshot| is_at(snapshot, &["tcp://watcher:1"])).await;

    let mut other = Other::start(folder.path());
    let both = ["tcp://other:1", "tcp://watcher:1"];
    until(&mut watch, |snapshot| is_at(snapshot, &both)).await;

    other.kill();
    let service = folder.path().join("default/hr.employee/1");
    let files = fs::read_dir(service).unwrap().count();
    assert_eq!(files, 2, "the killed process had the time to leave");
    until(&mut watch, |snapshot| is_at(snapshot, &["tcp://watcher:1"])).await;
}

fn is_at(snapshot: &Snapshot, addresses: &[&str]) -> bool {
    let mut found: Vec<&str> = snapshot.iter().map(|instance| instance.address()).collect();
    found.sort_unstable();
    found == addresses
}

/// Not a test by itself: what the other process of the test above runs.
#[tokio::test]
async fn other_process() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let registration = registry(Path::new(&folder))
        .register(instance("tcp://other:1"))
        .await;
    let registration = registration.unwrap();
    // Stays until it is killed, or until the test that started it is gone.
    let end = tokio::task::spawn_blocking(|| stdin().read_to_end(&mut Vec::new()));
    end.await.unwrap().unwrap();
    drop(registration);
}

/// The other process; it does not outlive the test.
struct Other(Child);

impl Other {
    fn start(folder: &Path) -> Self {
        let child = Command::new(env::current_exe().expect("the test has a path"))
            .args(["--exact", "file_processes::other_process", "--nocapture"])
            .env(FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the test starts once more");
        Self(child)
    }

    /// Kills it with `SIGKILL`, which it cannot notice.
    fn kill(&mut self) {
        self.0.kill().expect("it is ours to kill");
        self.0.wait().expect("it is ours to wait for");
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // After the test has killed it there is nothing left to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
