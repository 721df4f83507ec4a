//! Onboarding while no instance of leave is there.

use std::{sync::Arc, time::Duration};

use doge_rpc::{
    CallOptions, Server as RpcServer,
    client::{Client, Cluster},
    registry::{self, Registry},
};
use futures_util::future::join_all;
use hr::{
    employee::{
        EmployeeClient, EmployeeError, EmployeeServer, EmployeeService as _, Employees, Filter,
    },
    onboarding::{OnboardingClient, OnboardingError, OnboardingService as _},
};
use tempfile::TempDir;

use crate::{
    employees::{EmployeesDouble, Step},
    people::newcomer,
    process::Server,
};

/// What an onboarding gets: less than an instance waits for leave.
const TIME: Duration = Duration::from_secs(4);
const CALLS: u32 = 30;

/// Waits until the registry has no instance of leave.
async fn leave_is_gone(registry: &Arc<dyn Registry>) {
    let service = registry::ServiceKey::new("hr.leave").with_version("1");
    let mut watch = registry.watch(service).await.unwrap();
    while !watch.snapshot().is_empty() {
        watch.changed().await.unwrap();
    }
}

#[tokio::test]
async fn without_leave_no_onboarding_replica_is_blamed_and_nothing_is_asked_more_often() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let url = format!("file:{}", folder.join("registry").display());
    let registry = registry::open(&url).unwrap();
    let employees = EmployeesDouble::new(Employees::open(folder).await.unwrap());
    let server = RpcServer::builder()
        .add(EmployeeServer::new(employees.clone()))
        .registry(&registry);
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let leave = Server::start_with(folder, &["leave"], &["--ttl", "1"]).await;
    let start = || Server::start(folder, &["onboarding"]);
    let _onboarding = join_all([(); 3].map(|()| start())).await;

    let cluster = OnboardingClient::cluster().registry(&registry);
    let cluster: Cluster = cluster.follow().await.unwrap();
    let client = Client::from(cluster.clone());
    let onboarding = OnboardingClient::new(client.with(CallOptions::new().timeout(TIME)));
    let before = onboarding.onboard(newcomer("Ada", 30)).await.unwrap();
    assert_eq!(before.leave.available, 30);

    leave.kill().await;
    leave_is_gone(&registry).await;
    let need_leave = (1..=CALLS).map(|number| {
        let name = format!("Newcomer-{number}");
        onboarding.onboard(newcomer(&name, 30))
    });
    // Refused by employee, before leave is asked.
    let need_none = (1..=CALLS).map(|number| {
        let mut nobody = newcomer(&format!("Nobody-{number}"), 30);
        nobody.position.job_level = u8::MAX;
        onboarding.onboard(nobody)
    });
    let direct = EmployeeClient::connect_via(&registry).await.unwrap();
    let counts = (1..=CALLS).map(|_| direct.count(Filter::default()));
    let (need_leave, need_none, counts) =
        tokio::join!(join_all(need_leave), join_all(need_none), join_all(counts));

    for ended in need_leave {
        assert!(
            matches!(ended, Err(OnboardingError::GoesOn(_))),
            "{ended:?}"
        );
    }
    for ended in need_none {
        let refused = matches!(
            ended,
            Err(OnboardingError::NotHired(EmployeeError::Invalid(_)))
        );
        assert!(refused, "{ended:?}");
    }
    for count in counts {
        count.unwrap();
    }
    let stats = cluster.stats();
    assert_eq!((stats.ejections, stats.retries), (0, 0), "{stats:?}");
    assert_eq!(stats.attempts, stats.calls);
    assert!(stats.endpoints.iter().all(|endpoint| !endpoint.ejected));
    assert_eq!(employees.calls(Step::Hire), 1 + 2 * CALLS);
    assert_eq!(employees.calls(Step::Settle), 1);
    assert!(employees.calls(Step::Withdraw) <= CALLS);
    server.drain().await;
}
