//! The same scenario over the implementations themselves, over clients through the codec, and over clients across
//! sockets: nothing that a caller can see may differ.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

#[path = "common/people.rs"]
mod people;

use std::{fmt::Debug, path::Path, sync::Arc};

use doge_rpc::{
    prelude::*,
    registry::{Memory, Registry},
};
use hr::{
    employee::{EmployeeClient, EmployeeServer, EmployeeService, Employees, Filter, Transfer},
    leave::{Leave, LeaveClient, LeaveServer, LeaveService, NewRequest},
    onboarding::{Onboarding, OnboardingClient, OnboardingServer, OnboardingService},
};
use people::{hire, key, newcomer, number, record};
use tempfile::TempDir;

#[tokio::test]
async fn implementations_passed_directly_and_clients_across_sockets_do_the_same() {
    let direct = in_process().await;
    assert!(direct.len() > 20, "{direct:#?}");
    assert_eq!(direct, through_the_codec().await);
    assert_eq!(direct, across_sockets().await);
}

/// What the callers saw, step by step: values and errors.
type Transcript = Vec<String>;

async fn in_process() -> Transcript {
    let folder = TempDir::new().unwrap();
    let (employees, leave) = open(folder.path()).await;
    let onboarding = Onboarding::new(employees.clone(), leave.clone());
    scenario(&onboarding, &employees, &leave).await
}

async fn through_the_codec() -> Transcript {
    let folder = TempDir::new().unwrap();
    let (employees, leave) = open(folder.path()).await;
    let (employees, leave) = (EmployeeClient::local(employees), LeaveClient::local(leave));
    let onboarding = Onboarding::new(employees.clone(), leave.clone());
    scenario(&OnboardingClient::local(onboarding), &employees, &leave).await
}

async fn across_sockets() -> Transcript {
    let folder = TempDir::new().unwrap();
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let (employees, leave) = open(folder.path()).await;
    let start = async |server: doge_rpc::server::Builder| {
        server
            .registry(&registry)
            .start("tcp://127.0.0.1:0")
            .await
            .unwrap()
    };
    let employee_server = start(Server::builder().add(EmployeeServer::new(employees))).await;
    let leave_server = start(Server::builder().add(LeaveServer::new(leave))).await;

    let employees = EmployeeClient::connect_via(&registry).await.unwrap();
    let leave = LeaveClient::connect_via(&registry).await.unwrap();
    let onboarding = Onboarding::new(employees.clone(), leave.clone());
    let onboarding_server = start(Server::builder().add(OnboardingServer::new(onboarding))).await;
    let onboarding = OnboardingClient::connect_via(&registry).await.unwrap();

    let transcript = scenario(&onboarding, &employees, &leave).await;
    for server in [onboarding_server, leave_server, employee_server] {
        server.drain().await;
    }
    transcript
}

async fn open(folder: &Path) -> (Employees, Leave) {
    let employees = Employees::open(folder).await.unwrap();
    (employees, Leave::open(folder).await.unwrap())
}

/// Knows the services by their traits.
async fn scenario(
    onboarding: &impl OnboardingService,
    employees: &impl EmployeeService,
    leave: &impl LeaveService,
) -> Transcript {
    let mut seen = Transcript::new();
    let mut see = |result: &dyn Debug| seen.push(format!("{result:?}"));
    let everybody = Filter::default;
    let sales = Transfer {
        department: "Sales".to_owned(),
        job_role: "Clerk".to_owned(),
    };
    let ask = |name: &str, days: u32| NewRequest {
        key: key(name),
        employee: number(1),
        days,
    };

    see(&onboarding.onboard(newcomer("Ada", 30)).await);
    see(&onboarding.onboard(newcomer("Ada", 30)).await);
    see(&onboarding.onboard(newcomer("Ada", 29)).await);
    see(&onboarding.onboard(newcomer("Bob", 61)).await);
    see(&onboarding.onboard(newcomer("Bob", 30)).await);
    see(&employees.count(everybody()).await);

    see(&employees.hire(hire("Grace", "Research")).await);
    see(&employees.import(vec![record(3), record(700)]).await);
    see(&employees.import(vec![]).await);
    see(&employees.get(number(700)).await);
    see(&employees.get(number(9)).await);
    let page = employees.list(everybody(), None, 2).await;
    see(&page);
    let next = page.unwrap().next;
    see(&employees.list(everybody(), next, 2).await);
    see(&employees.transfer(number(3), sales.clone()).await);
    see(&employees.terminate(number(3)).await);
    see(&employees.terminate(number(3)).await);
    see(&employees.transfer(number(3), sales).await);
    see(&employees.withdraw(key("Grace")).await);

    see(&leave.balance(number(1)).await);
    see(&leave.balance(number(2)).await);
    see(&leave.request(ask("spring", 20)).await);
    see(&leave.request(ask("summer", 11)).await);
    see(&leave.request(ask("autumn", 10)).await);
    let first = leave.request(ask("spring", 20)).await.unwrap().id;
    see(&leave.approve(first).await);
    see(&leave.reject(first).await);
    see(&leave.revoke(key("Ada")).await);
    see(&leave.balance(number(1)).await);
    seen
}
