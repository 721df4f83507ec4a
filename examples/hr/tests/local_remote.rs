//! The same scenario over the implementations themselves, over clients in the process and across sockets, and over
//! clusters that lose a server: nothing that a caller can see may differ.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

#[path = "common/people.rs"]
mod people;

use std::{fmt::Debug, path::Path};

use doge_rpc::testing::Wiring;
use hr::{
    employee::{EmployeeClient, EmployeeServer, EmployeeService, Employees, Filter, Transfer},
    leave::{Leave, LeaveClient, LeaveServer, LeaveService, NewRequest},
    onboarding::{Onboarding, OnboardingClient, OnboardingServer, OnboardingService},
};
use people::{hire, key, newcomer, number, record};
use tempfile::TempDir;

#[tokio::test]
async fn implementations_and_clients_in_every_wiring_do_the_same() {
    let direct = in_process().await;
    assert!(direct.len() > 20, "{direct:#?}");
    for wiring in Wiring::ALL {
        assert_eq!(direct, over_clients(wiring).await, "{wiring}");
    }
}

/// What the callers saw, step by step: values and errors.
type Transcript = Vec<String>;

async fn in_process() -> Transcript {
    let folder = TempDir::new().unwrap();
    let (employees, leave) = open(folder.path()).await;
    let onboarding = Onboarding::new(employees.clone(), leave.clone());
    scenario(&onboarding, &employees, &leave).await
}

async fn over_clients(wiring: Wiring) -> Transcript {
    let folder = TempDir::new().unwrap();
    let (employees, leave) = open(folder.path()).await;
    let mut wires = wiring.wires();
    let employees = EmployeeClient::new(wires.reach(EmployeeServer::new(employees)).await);
    let leave = LeaveClient::new(wires.reach(LeaveServer::new(leave)).await);
    let onboarding = Onboarding::new(employees.clone(), leave.clone());
    let onboarding = wires.reach(OnboardingServer::new(onboarding)).await;
    scenario(&OnboardingClient::new(onboarding), &employees, &leave).await
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
