use hr::leave::{Grant, Leave, LeaveError, LeaveService, NewRequest, RequestState};
use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::people::{key, number};

pub(crate) async fn open() -> (TempDir, Leave) {
    let folder = TempDir::new().unwrap();
    let leave = Leave::open(folder.path()).await.unwrap();
    (folder, leave)
}

pub(crate) fn grant(name: &str, days: u32) -> Grant {
    Grant {
        key: key(name),
        employee: number(1),
        days,
    }
}

pub(crate) fn request(name: &str, days: u32) -> NewRequest {
    NewRequest {
        key: key(name),
        employee: number(1),
        days,
    }
}

/// Entitled, taken, pending, available.
pub(crate) async fn days(leave: &impl LeaveService) -> (u32, u32, u32, u32) {
    let balance = leave.balance(number(1)).await.unwrap();
    let (taken, pending) = (balance.taken, balance.pending);
    (balance.entitled, taken, pending, balance.available)
}

#[tokio::test]
async fn days_move_from_available_over_pending_to_taken_or_back() {
    let (_folder, leave) = open().await;
    leave.grant(grant("2026", 30)).await.unwrap();
    leave.grant(grant("carried-over", 5)).await.unwrap();
    let spring = leave.request(request("spring", 10)).await.unwrap();
    let autumn = leave.request(request("autumn", 20)).await.unwrap();
    assert_eq!(days(&leave).await, (35, 0, 30, 5));
    assert_eq!(
        leave.approve(spring.id).await.unwrap().state,
        RequestState::Approved
    );
    assert_eq!(
        leave.reject(autumn.id).await.unwrap().state,
        RequestState::Rejected
    );
    assert_eq!(days(&leave).await, (35, 10, 0, 25));
}

#[tokio::test]
async fn what_is_said_twice_is_done_once() {
    let (_folder, leave) = open().await;
    for _ in 0..3 {
        assert_eq!(leave.grant(grant("2026", 30)).await.unwrap().entitled, 30);
    }
    let first = leave.request(request("spring", 10)).await.unwrap();
    assert_eq!(leave.request(request("spring", 10)).await.unwrap(), first);
    assert_eq!(days(&leave).await, (30, 0, 10, 20));
    let reused = Err(LeaveError::KeyReused(key("spring")));
    assert_eq!(leave.request(request("spring", 11)).await, reused);
    let reused = Err(LeaveError::KeyReused(key("2026")));
    assert_eq!(leave.grant(grant("2026", 31)).await, reused);
}

#[tokio::test]
async fn a_revoked_grant_stays_revoked() {
    let (_folder, leave) = open().await;
    leave.grant(grant("2026", 30)).await.unwrap();
    leave.grant(grant("mistake", 10)).await.unwrap();
    leave.revoke(key("mistake")).await.unwrap();
    leave.revoke(key("mistake")).await.unwrap();
    leave.revoke(key("late")).await.unwrap();
    assert_eq!(days(&leave).await, (30, 0, 0, 30));
    for name in ["mistake", "late"] {
        let refused = leave.grant(grant(name, 10)).await;
        assert_eq!(refused, Err(LeaveError::Revoked(key(name))));
    }
    leave.request(request("spring", 1)).await.unwrap();
    let refused = leave.revoke(key("2026")).await;
    assert_eq!(refused, Err(LeaveError::InUse(number(1))));
    assert_eq!(days(&leave).await, (30, 0, 1, 29));
}

#[tokio::test]
async fn days_that_make_no_sense_are_refused() {
    let (_folder, leave) = open().await;
    for days in [0, 61, u32::MAX] {
        let refused = leave.grant(grant("2026", days)).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("a grant is of 1 to 60 days, not {days}")
        );
        assert!(leave.request(request("spring", days)).await.is_err());
    }
    let refused = leave.request(request("spring", 1)).await;
    assert_eq!(refused, Err(LeaveError::NoAccount(number(1))));
}

#[tokio::test]
async fn the_database_itself_refuses_negative_days() {
    let (folder, leave) = open().await;
    leave.grant(grant("2026", 10)).await.unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("leave.db"));
    let mut connection = options.connect().await.unwrap();
    for statement in [
        "UPDATE account SET pending = 11",
        "UPDATE account SET taken = 5, pending = 6",
        "UPDATE account SET entitled = -1",
        "INSERT INTO account (employee, entitled, pending) VALUES (2, 10, 11)",
        "INSERT INTO request (request_key, employee, days) VALUES ('x', 1, -1)",
    ] {
        let error = sqlx::query(statement)
            .execute(&mut connection)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("CHECK"), "{statement}: {error}");
    }
    assert_eq!(days(&leave).await, (10, 0, 0, 10));
}
