use doge_rpc::{
    client::Cluster,
    registry::{self, ServiceKey},
};
use futures_util::future::join_all;
use hr::{
    employee::{EmployeeClient, EmployeeService as _, Filter},
    leave::{LeaveClient, LeaveService as _},
    onboarding::{OnboardingClient, OnboardingService as _},
};
use tempfile::TempDir;

use crate::{
    people::newcomer,
    process::{Server, fail, succeed},
};

#[tokio::test]
async fn replicas_over_one_database_hire_together_and_one_that_is_killed_is_not_missed() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let start = |service: &'static str| async move { Server::start(folder, &[service]).await };
    let mut employee = join_all([(); 3].map(|()| start("employee"))).await;
    let leave = join_all([(); 3].map(|()| start("leave"))).await;
    let _onboarding = join_all([(); 2].map(|()| start("onboarding"))).await;

    let url = format!("file:{}", folder.join("registry").display());
    let registry = registry::open(&url).unwrap();
    let onboarding = OnboardingClient::connect_via(&registry).await.unwrap();
    let hires = (1..=40).map(|number| {
        let newcomer = newcomer(&format!("Newcomer-{number}"), 30);
        onboarding.onboard(newcomer)
    });
    let hired = join_all(hires).await.into_iter();
    let hired: Vec<_> = hired.map(|onboarded| onboarded.unwrap().employee).collect();

    for replica in &employee {
        let replica = EmployeeClient::connect(replica.address()).unwrap();
        assert_eq!(replica.count(Filter::default()).await.unwrap(), 40);
    }
    for replica in &leave {
        let replica = LeaveClient::connect(replica.address()).unwrap();
        let balance = replica.balance(hired[39].number).await.unwrap();
        assert_eq!(balance.available, 30);
    }

    let employees = EmployeeClient::connect_via(&registry).await.unwrap();
    employee.remove(1).kill().await;
    for somebody in hired {
        assert_eq!(employees.get(somebody.number).await.unwrap(), somebody);
    }
    let hired = onboarding.onboard(newcomer("Latecomer", 30)).await;
    assert_eq!(hired.unwrap().employee.number.get(), 41);
}

#[tokio::test]
async fn a_group_is_called_by_its_own_and_an_instance_says_what_it_was_told() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let options = ["--group", "canary", "--zone", "eu-1", "--weight", "10"];
    let address = ["--advertise", "tcp://10.0.0.7:4399", "--ttl", "60"];
    let advertised = [&options[..], &address].concat();
    let _employee = Server::start_with(folder, &["employee"], &options).await;
    let _leave = Server::start_with(folder, &["leave"], &advertised).await;

    let told = fail(folder, "employees --registry file:registry").await;
    assert!(told.contains("no instance of"), "{told}");
    let told = succeed(
        folder,
        "employees --count --registry file:registry --group canary",
    );
    assert_eq!(told.await, "0\n");

    let url = format!("file:{}", folder.join("registry").display());
    let registry = registry::open(&url).unwrap();
    let service = ServiceKey::new("hr.leave")
        .with_version("1")
        .with_group("canary");
    let watch = registry.watch(service.clone()).await.unwrap();
    let instances: Vec<_> = watch.snapshot().iter().cloned().collect();
    let [instance] = &*instances else {
        panic!("{instances:?}");
    };
    assert_eq!((instance.zone(), instance.weight()), (Some("eu-1"), 10));
    let cluster = Cluster::follow(&registry, service).await.unwrap();
    assert_eq!(cluster.addresses(), ["tcp://10.0.0.7:4399"]);

    let told = fail(
        folder,
        "serve leave --ttl 5 --registry static:tcp://10.0.0.7:1",
    );
    assert!(told.await.contains("--ttl is for a file: registry"));
}
