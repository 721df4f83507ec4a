use std::{sync::Arc, time::Duration};

use doge_rpc::{CallOptions, Server, Status};
use hr::{
    employee::{EmployeeError, EmployeeService, Employees, Filter},
    leave::{Leave, LeaveError, LeaveService},
    onboarding::{
        Newcomer, Onboarded, Onboarding, OnboardingClient, OnboardingError, OnboardingServer,
        OnboardingService,
    },
};
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::{
    employees::{EmployeesDouble, Step},
    fakes::LossyLeave,
    people::{key, newcomer, number},
};

const LIMIT: Duration = Duration::from_secs(15);

async fn open() -> (TempDir, Employees, Leave) {
    let folder = TempDir::new().unwrap();
    let employees = Employees::open(folder.path()).await.unwrap();
    let leave = Leave::open(folder.path()).await.unwrap();
    (folder, employees, leave)
}

async fn headcount(employees: &Employees) -> u64 {
    employees.count(Filter::default()).await.unwrap()
}

#[tokio::test]
async fn a_refused_grant_undoes_the_hire() {
    let (_folder, employees, leave) = open().await;
    let onboarding = Onboarding::new(employees.clone(), leave.clone());
    let failed = onboarding.onboard(newcomer("Ada", 61)).await.unwrap_err();
    assert!(matches!(
        failed,
        OnboardingError::Undone(LeaveError::InvalidDays { days: 61, .. })
    ));
    assert_eq!(headcount(&employees).await, 0);
    let refused = leave.balance(number(1)).await;
    assert_eq!(refused, Err(LeaveError::NoAccount(number(1))));

    let again = onboarding.onboard(newcomer("Ada", 30)).await;
    let withdrawn = EmployeeError::Withdrawn(key("Ada"));
    assert_eq!(again, Err(OnboardingError::NotHired(withdrawn)));
}

#[tokio::test]
async fn a_grant_whose_answer_is_lost_is_undone_with_the_hire() {
    let (_folder, employees, leave) = open().await;
    let lossy = LossyLeave::new(leave.clone(), 1, 2);
    let onboarding = Onboarding::new(employees.clone(), lossy);
    let failed = onboarding.onboard(newcomer("Ada", 30)).await.unwrap_err();
    assert!(
        matches!(failed, OnboardingError::Undone(LeaveError::Status(_))),
        "{failed:?}"
    );
    assert_eq!(headcount(&employees).await, 0);
    assert_eq!(leave.balance(number(1)).await.unwrap().entitled, 0);
}

#[tokio::test]
async fn a_hire_whose_answer_is_lost_is_withdrawn() {
    let (_folder, employees, leave) = open().await;
    let lossy = EmployeesDouble::losing(employees.clone(), Step::Hire);
    let onboarding = Onboarding::new(lossy, leave);
    let failed = onboarding.onboard(newcomer("Ada", 30)).await.unwrap_err();
    let lost = Status::unavailable("the connection was lost");
    assert_eq!(
        failed,
        OnboardingError::NotHired(EmployeeError::Status(lost))
    );
    assert_eq!(headcount(&employees).await, 0);
}

#[tokio::test]
async fn what_cannot_be_undone_is_told_with_its_key() {
    let (_folder, employees, leave) = open().await;
    let lossy = LossyLeave::new(leave.clone(), 1, u32::MAX);
    let onboarding = Onboarding::new(employees.clone(), lossy);
    let failed = onboarding.onboard(newcomer("Ada", 30)).await.unwrap_err();
    let told = failed.to_string();
    assert!(
        told.contains("the connection was lost") && told.contains("request key Ada"),
        "{told}"
    );
    assert_eq!(headcount(&employees).await, 0);

    let again = Onboarding::new(employees, leave.clone())
        .onboard(newcomer("Ada", 30))
        .await;
    let withdrawn = EmployeeError::Withdrawn(key("Ada"));
    assert_eq!(again, Err(OnboardingError::NotHired(withdrawn)));
    assert_eq!(leave.balance(number(1)).await.unwrap().entitled, 0);
}

#[tokio::test]
async fn a_settlement_whose_answer_is_lost_is_one() {
    let (_folder, employees, leave) = open().await;
    let lossy = EmployeesDouble::losing(employees.clone(), Step::Settle);
    let onboarding = Onboarding::new(lossy, leave);
    let onboarded = onboarding.onboard(newcomer("Ada", 30)).await.unwrap();
    assert_eq!(onboarded.leave.available, 30);
    assert_eq!(headcount(&employees).await, 1);
}

/// An onboarding that hangs when it grants leave, until the gate opens; the answer to the grant is lost then.
struct Hanging {
    task: tokio::task::JoinHandle<Result<Onboarded, OnboardingError>>,
    gate: Arc<(Notify, Notify)>,
}

impl Hanging {
    async fn begin(employees: &Employees, leave: &Leave, newcomer: Newcomer) -> Self {
        let gate = Arc::new((Notify::new(), Notify::new()));
        let mut gated = LossyLeave::new(leave.clone(), 1, 0);
        gated.gate = Some(Arc::clone(&gate));
        let onboarding = Onboarding::new(employees.clone(), gated);
        let task = tokio::spawn(async move { onboarding.onboard(newcomer).await });
        let begun = tokio::time::timeout(LIMIT, gate.0.notified()).await;
        begun.expect("the grant begins");
        Self { task, gate }
    }

    async fn end(self) -> OnboardingError {
        self.gate.1.notify_one();
        let ended = tokio::time::timeout(LIMIT, self.task).await;
        ended.expect("the onboarding ends").unwrap().unwrap_err()
    }
}

#[tokio::test]
async fn one_that_hangs_does_not_undo_what_its_repetition_completed() {
    let (_folder, employees, leave) = open().await;
    let hanging = Hanging::begin(&employees, &leave, newcomer("Ada", 30)).await;
    let onboarding = Onboarding::new(employees.clone(), leave.clone());
    let completed = onboarding.onboard(newcomer("Ada", 30)).await.unwrap();

    let failed = hanging.end().await;
    assert!(
        matches!(failed, OnboardingError::NotUndone { .. }),
        "{failed:?}"
    );
    assert_eq!(headcount(&employees).await, 1);
    assert_eq!(leave.balance(number(1)).await.unwrap().available, 30);
    let again = onboarding.onboard(newcomer("Ada", 30)).await;
    assert_eq!(again, Ok(completed));
}

#[tokio::test]
async fn one_that_hangs_does_not_complete_what_its_repetition_undid() {
    let (_folder, employees, leave) = open().await;
    let hanging = Hanging::begin(&employees, &leave, newcomer("Ada", 30)).await;
    let lossy = LossyLeave::new(leave.clone(), 1, 0);
    let undone = Onboarding::new(employees.clone(), lossy)
        .onboard(newcomer("Ada", 30))
        .await;
    assert!(matches!(undone, Err(OnboardingError::Undone(_))));

    let failed = hanging.end().await;
    assert!(matches!(failed, OnboardingError::Undone(_)), "{failed:?}");
    assert_eq!(headcount(&employees).await, 0);
    assert_eq!(leave.balance(number(1)).await.unwrap().entitled, 0);
}

#[tokio::test]
async fn what_somebody_else_did_is_left_alone() {
    let (_folder, employees, leave) = open().await;
    let onboarding = Onboarding::new(employees.clone(), leave.clone());
    let mut ada = newcomer("Ada", 30);
    ada.number = Some(number(1));
    let mut bob = newcomer("Bob", 61);
    bob.number = Some(number(1));

    onboarding.onboard(ada.clone()).await.unwrap();
    let refused = onboarding.onboard(bob).await;
    let taken = EmployeeError::NumberTaken(number(1));
    assert_eq!(refused, Err(OnboardingError::NotHired(taken)));
    ada.leave_days = 20;
    let reused = OnboardingError::KeyReused(LeaveError::KeyReused(key("Ada")));
    assert_eq!(onboarding.onboard(ada).await, Err(reused));

    assert_eq!(headcount(&employees).await, 1);
    assert_eq!(leave.balance(number(1)).await.unwrap().entitled, 30);
}

#[tokio::test]
async fn a_caller_whose_time_is_nearly_over_is_told_that_the_onboarding_goes_on() {
    let (_folder, employees, leave) = open().await;
    let gate = Arc::new((Notify::new(), Notify::new()));
    let mut gated = LossyLeave::new(leave.clone(), 0, 0);
    gated.gate = Some(Arc::clone(&gate));
    let onboarding = Onboarding::new(employees.clone(), gated);
    let short = CallOptions::new().timeout(Duration::from_secs(2));
    let client = OnboardingClient::local(onboarding.clone()).with(short);
    let ended = client.onboard(newcomer("Ada", 30)).await;
    assert_eq!(ended, Err(OnboardingError::GoesOn(key("Ada"))));

    gate.1.notify_one();
    let settled = tokio::time::timeout(LIMIT, onboarding.settled()).await;
    settled.expect("the onboarding ends");
    assert_eq!(headcount(&employees).await, 1);
    assert_eq!(leave.balance(number(1)).await.unwrap().available, 30);
}

#[tokio::test]
async fn an_onboarding_ends_well_although_its_caller_has_gone() {
    let (_folder, employees, leave) = open().await;
    let gate = Arc::new((Notify::new(), Notify::new()));
    let mut gated = LossyLeave::new(leave.clone(), 0, 0);
    gated.gate = Some(Arc::clone(&gate));
    let onboarding = Onboarding::new(employees.clone(), gated);
    let server = Server::builder().add(OnboardingServer::new(onboarding.clone()));
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let client = OnboardingClient::connect(server.address()).unwrap();

    let call = tokio::spawn(async move { client.onboard(newcomer("Ada", 30)).await });
    let begun = tokio::time::timeout(LIMIT, gate.0.notified()).await;
    begun.expect("the grant begins");
    call.abort();
    let drained = tokio::time::timeout(LIMIT, server.drain()).await;
    drained.expect("nobody is waited for who has gone");

    gate.1.notify_one();
    let settled = tokio::time::timeout(LIMIT, onboarding.settled()).await;
    settled.expect("the onboarding ends");
    assert_eq!(headcount(&employees).await, 1);
    assert_eq!(leave.balance(number(1)).await.unwrap().available, 30);
}
