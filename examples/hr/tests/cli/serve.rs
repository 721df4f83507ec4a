use doge_rpc::registry;
use hr::{
    employee::{Gender, MaritalStatus, Person, Position},
    identity::RequestKey,
    onboarding::{Newcomer, OnboardingClient, OnboardingService as _},
};
use tempfile::TempDir;

use crate::{
    process::{Server, fail, succeed},
    sheets::{row, sheet},
};

fn newcomer() -> Newcomer {
    Newcomer {
        key: RequestKey::random(),
        number: None,
        person: Person {
            name: "Ada".to_owned(),
            age: 36,
            gender: Gender::Female,
            marital_status: MaritalStatus::Single,
            education_field: "Mathematics".to_owned(),
        },
        position: Position {
            department: "Research".to_owned(),
            job_role: "Analyst".to_owned(),
            job_level: 2,
            monthly_income: 5000,
            overtime: false,
        },
        leave_days: 30,
    }
}

#[tokio::test]
async fn services_in_processes_of_their_own_find_each_other_and_drain() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let employee = Server::start(folder, &["employee"]).await;
    let leave = Server::start(folder, &["leave"]).await;
    let onboarding = Server::start(folder, &["onboarding"]).await;

    std::fs::write(folder.join("people.csv"), sheet((1..=50).map(row))).unwrap();
    let told = succeed(folder, "import people.csv --registry file:registry").await;
    assert_eq!(told, "50 imported, 0 already there, 0 rows skipped\n");

    let url = format!("file:{}", folder.join("registry").display());
    let registry = registry::open(&url).unwrap();
    let client = OnboardingClient::connect_via(&registry).await.unwrap();
    let onboarded = client.onboard(newcomer()).await.unwrap();
    assert_eq!(onboarded.employee.number.get(), 51);
    let told = succeed(folder, "employees --count --registry file:registry").await;
    assert_eq!(told, "51\n");
    let told = succeed(folder, "leave balance 51 --registry file:registry").await;
    assert!(told.starts_with("employee 51: 30 days available"), "{told}");

    assert_eq!(onboarding.stop("TERM").await, Some(0));
    assert_eq!(leave.stop("INT").await, Some(0));
    assert_eq!(employee.stop("TERM").await, Some(0));
    let told = fail(folder, "employees --registry file:registry").await;
    assert!(told.contains("hr serve employee"), "{told}");
    assert_eq!(
        succeed(folder, "employees --count --data data").await,
        "51\n"
    );
}

#[tokio::test]
async fn start_and_stop_are_logged_with_the_services_and_without_colours() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(folder.path(), &["employee", "leave"]).await;
    let address = server.address().to_owned();
    let ended = server.end("TERM").await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let said = |what: &str| {
        let line = ended.err.lines().find(|line| line.contains(what));
        let line = line.expect(&ended.err);
        assert!(line.contains(&address), "{line}");
        line
    };
    let serving = said(" serving ");
    assert!(serving.contains("hr.employee, hr.leave"), "{serving}");
    for what in [" asked to stop ", " drained "] {
        said(what);
    }
    assert!(!ended.err.contains('\x1b'), "{}", ended.err);

    let help = succeed(folder.path(), "--help").await;
    for told in ["start and stop", "RUST_LOG"] {
        assert!(help.contains(told), "{help}");
    }
}

#[tokio::test]
async fn one_process_serves_all_and_another_one_beside_it_too() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let first = Server::start(folder, &["employee", "leave", "onboarding"]).await;
    let second = Server::start(folder, &["employee", "leave"]).await;

    std::fs::write(folder.join("people.csv"), sheet((1..=5).map(row))).unwrap();
    succeed(folder, "import people.csv --registry file:registry").await;
    succeed(folder, "leave grant 1 20 --registry file:registry").await;
    assert_eq!(first.stop("TERM").await, Some(0));
    // What the one wrote, the other one reads.
    let told = succeed(folder, "leave balance 1 --registry file:registry").await;
    assert!(told.starts_with("employee 1: 20 days available"), "{told}");
    let told = succeed(folder, "employees --count --registry file:registry").await;
    assert_eq!(told, "5\n");
    assert_eq!(second.stop("TERM").await, Some(0));
}
