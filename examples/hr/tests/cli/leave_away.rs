//! Onboarding while no instance of leave is there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use doge_rpc::{
    CallOptions, Server as RpcServer,
    client::{Client, Cluster},
    registry::{self, Registry},
};
use futures_util::future::join_all;
use hr::{
    employee::{
        Cursor, Employee, EmployeeClient, EmployeeError, EmployeeServer, EmployeeService,
        Employees, Filter, Hire, Imported, Page, Record, Transfer,
    },
    identity::{EmployeeNumber, RequestKey},
    onboarding::{OnboardingClient, OnboardingError, OnboardingService as _},
};
use tempfile::TempDir;

use crate::{people::newcomer, process::Server};

/// What an onboarding gets: less than an instance waits for leave.
const TIME: Duration = Duration::from_secs(4);
const CALLS: u32 = 30;

/// The employee service, counting the calls that an onboarding makes.
#[derive(Clone)]
struct Counted {
    employees: Employees,
    hires: Arc<AtomicU32>,
    settlements: Arc<AtomicU32>,
    withdrawals: Arc<AtomicU32>,
}

impl Counted {
    fn new(employees: Employees) -> Self {
        Self {
            employees,
            hires: Arc::default(),
            settlements: Arc::default(),
            withdrawals: Arc::default(),
        }
    }
}

impl EmployeeService for Counted {
    async fn hire(&self, hire: Hire) -> Result<Employee, EmployeeError> {
        self.hires.fetch_add(1, Ordering::SeqCst);
        self.employees.hire(hire).await
    }

    async fn settle(&self, key: RequestKey) -> Result<(), EmployeeError> {
        self.settlements.fetch_add(1, Ordering::SeqCst);
        self.employees.settle(key).await
    }

    async fn withdraw(&self, key: RequestKey) -> Result<(), EmployeeError> {
        self.withdrawals.fetch_add(1, Ordering::SeqCst);
        self.employees.withdraw(key).await
    }

    async fn import(&self, records: Vec<Record>) -> Result<Imported, EmployeeError> {
        self.employees.import(records).await
    }

    async fn get(&self, number: EmployeeNumber) -> Result<Employee, EmployeeError> {
        self.employees.get(number).await
    }

    async fn list(
        &self,
        filter: Filter,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Page, EmployeeError> {
        self.employees.list(filter, after, limit).await
    }

    async fn count(&self, filter: Filter) -> Result<u64, EmployeeError> {
        self.employees.count(filter).await
    }

    async fn transfer(
        &self,
        number: EmployeeNumber,
        to: Transfer,
    ) -> Result<Employee, EmployeeError> {
        self.employees.transfer(number, to).await
    }

    async fn terminate(&self, number: EmployeeNumber) -> Result<Employee, EmployeeError> {
        self.employees.terminate(number).await
    }
}

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
    let employees = Counted::new(Employees::open(folder).await.unwrap());
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
    let count = |calls: &AtomicU32| calls.load(Ordering::SeqCst);
    assert_eq!(count(&employees.hires), 1 + 2 * CALLS);
    assert_eq!(count(&employees.settlements), 1);
    assert!(count(&employees.withdrawals) <= CALLS);
    server.drain().await;
}
