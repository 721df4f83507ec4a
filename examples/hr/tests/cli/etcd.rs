//! With a real etcd, which has to be in the path (package `etcd-server` on Debian).

use doge_test_support::Etcd;
use tempfile::TempDir;

use crate::process::{Server, hr, succeed};

#[tokio::test]
async fn services_find_each_other_in_etcd() {
    let folder = TempDir::new().unwrap();
    let etcd = Etcd::start();
    let url = etcd.url();
    let registry = ["--registry", &*url];
    let employee = Server::start_at(folder.path(), &["employee"], &registry).await;
    let onboarding = Server::start_at(folder.path(), &["leave", "onboarding"], &registry).await;
    let count = format!("employees --count --registry {}", etcd.url());
    assert_eq!(succeed(folder.path(), &count).await, "0\n");
    assert_eq!(onboarding.stop("TERM").await, Some(0));
    assert_eq!(employee.stop("TERM").await, Some(0));
}

#[tokio::test]
async fn amid_chaos_nobody_is_lost_with_etcd() {
    let folder = TempDir::new().unwrap();
    let etcd = Etcd::start();
    let demo = format!(
        "demo --chaos --seconds 4 --seed 1 --registry {}?ttl=3s",
        etcd.url()
    );
    let ended = hr(folder.path(), demo.split_whitespace()).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
}
