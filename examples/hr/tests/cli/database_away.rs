//! Replicas that share a database, and one that loses it.

use std::{fs, os::unix::fs::symlink, path::Path, time::Duration};

use doge_rpc::{
    Code,
    client::{Cluster, HealthConfig},
    registry,
};
use futures_util::future::join_all;
use hr::employee::{EmployeeClient, EmployeeError, EmployeeService as _, Filter};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{people::hire, process::Server};

const LIMIT: Duration = Duration::from_secs(30);

/// A replica that knows the folder of the databases by a name of its own.
async fn replica(folder: &Path, name: &str) -> Server {
    symlink("data", folder.join(name)).unwrap();
    let options = ["--registry", "file:registry", "--data", name];
    Server::start_on(folder, &["employee"], &options).await
}

/// Calls that need the database, many at once; each has to succeed.
async fn call(employees: &EmployeeClient, round: u32) {
    let counts = (0..20).map(|_| employees.count(Filter::default()));
    let counted = join_all(counts).await.into_iter();
    for count in counted {
        assert!(count.unwrap() >= u64::from(round));
    }
    let hires = join_all((0..2).map(|_| {
        let name = format!("Newcomer-{round}");
        employees.hire(hire(&name, "Research"))
    }));
    for hired in hires.await {
        assert_eq!(hired.unwrap().number.get(), round + 1, "hired once");
    }
}

fn is_ejected(cluster: &Cluster, address: &str) -> bool {
    let endpoints = cluster.stats().endpoints.into_iter();
    let mut at = endpoints.filter(|endpoint| endpoint.address == address);
    at.next().expect("it is registered").ejected
}

#[tokio::test]
async fn a_replica_whose_database_is_gone_gets_no_calls_while_others_work() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("data")).unwrap();
    let names = ["first", "second", "third"];
    let replicas = join_all(names.map(|name| replica(folder, name))).await;
    let url = format!("file:{}", folder.join("registry").display());
    let registry = registry::open(&url).unwrap();
    // Ejected for longer than the test takes.
    let health = HealthConfig {
        consecutive_ejection: 4 * LIMIT,
        ..HealthConfig::default()
    };
    let cluster = EmployeeClient::cluster().registry(&registry).health(health);
    let cluster = cluster.follow().await.unwrap();
    let employees = EmployeeClient::new(cluster.clone());
    call(&employees, 0).await;

    fs::remove_file(folder.join("first")).unwrap();
    let broken = replicas[0].address();
    let begun = Instant::now();
    let mut round = 1;
    while !is_ejected(&cluster, broken) {
        assert!(begun.elapsed() < LIMIT, "{:?}", cluster.stats());
        call(&employees, round).await;
        round += 1;
    }
    let retries = cluster.stats().retries;
    for _ in 0..5 {
        call(&employees, round).await;
        round += 1;
    }
    // A call that reaches it is repeated elsewhere.
    assert_eq!(cluster.stats().retries, retries);
    assert!(is_ejected(&cluster, broken));

    let alone = EmployeeClient::connect(broken).unwrap();
    match alone.count(Filter::default()).await {
        Err(EmployeeError::Status(status)) => {
            assert_eq!(status.code(), Code::Unavailable);
            let told = status.message();
            assert!(told.contains("its log says why"), "{told}");
            assert!(!told.contains(folder.to_str().unwrap()), "{told}");
        }
        other => panic!("{other:?}"),
    }

    symlink("data", folder.join("first")).unwrap();
    assert_eq!(
        alone.count(Filter::default()).await.unwrap(),
        u64::from(round)
    );
}
