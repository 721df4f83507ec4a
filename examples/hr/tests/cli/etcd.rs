//! With a real etcd, which has to be in the path (package `etcd-server` on Debian).

use std::{
    net::TcpListener,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};

use crate::process::{Server, succeed};

const LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// An etcd on loopback; gone when this is dropped.
struct Etcd {
    _process: Child,
    url: String,
}

impl Etcd {
    async fn start(folder: &Path) -> Self {
        let [clients, peers] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [clients, peers] = [clients, peers].map(|free| free.local_addr().unwrap());
        let (here, peer) = (format!("http://{clients}"), format!("http://{peers}"));
        let process = Command::new("etcd")
            .arg("--data-dir")
            .arg(folder.join("etcd"))
            .args(["--listen-client-urls", &here])
            .args(["--advertise-client-urls", &here])
            .args(["--listen-peer-urls", &peer])
            .args(["--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("default={peer}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("etcd is installed");
        let give_up = Instant::now() + LIMIT;
        while TcpStream::connect(clients).await.is_err() {
            assert!(Instant::now() < give_up, "etcd does not listen");
            sleep(PAUSE).await;
        }
        Self {
            _process: process,
            url: format!("etcd://{clients}"),
        }
    }
}

#[tokio::test]
async fn services_find_each_other_in_etcd() {
    let folder = TempDir::new().unwrap();
    let etcd = Etcd::start(folder.path()).await;
    let registry = ["--registry", &*etcd.url];
    let employee = Server::start_at(folder.path(), &["employee"], &registry).await;
    let onboarding = Server::start_at(folder.path(), &["leave", "onboarding"], &registry).await;
    let count = format!("employees --count --registry {}", etcd.url);
    assert_eq!(succeed(folder.path(), &count).await, "0\n");
    assert_eq!(onboarding.stop("TERM").await, Some(0));
    assert_eq!(employee.stop("TERM").await, Some(0));
}

#[tokio::test]
async fn amid_chaos_nobody_is_lost_with_etcd() {
    let folder = TempDir::new().unwrap();
    let etcd = Etcd::start(folder.path()).await;
    let demo = format!(
        "demo --chaos --seconds 4 --seed 1 --registry {}?ttl=3s",
        etcd.url
    );
    let ended = crate::process::hr(folder.path(), demo.split_whitespace()).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
}
