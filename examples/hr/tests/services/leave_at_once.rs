//! Leave, asked for by many at once.

use std::time::Duration;

use futures_util::future::join_all;
use hr::leave::{Leave, LeaveClient, LeaveError, LeaveRequest, LeaveService, RequestState};
use tempfile::TempDir;

use crate::leave::{days, grant, open, request};

#[tokio::test]
async fn a_request_is_decided_once() {
    let (_folder, leave) = open().await;
    leave.grant(grant("2026", 30)).await.unwrap();
    let made = leave.request(request("spring", 10)).await.unwrap();
    let decisions = (0..20).map(async |index| match index % 2 {
        0 => leave.approve(made.id).await,
        _ => leave.reject(made.id).await,
    });
    let decided = join_all(decisions).await;
    let (taken, available) = (days(&leave).await.1, days(&leave).await.3);
    let state = if taken == 10 {
        RequestState::Approved
    } else {
        RequestState::Rejected
    };
    assert_eq!((taken + available, days(&leave).await.2), (30, 0));
    for result in decided {
        match result {
            Ok(request) => assert_eq!(request.state, state),
            Err(error) => assert_eq!(error, LeaveError::Decided { id: made.id, state }),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn days_are_never_negative_however_many_ask_at_once() {
    let folder = TempDir::new().unwrap();
    // Three that share a database, as processes would; the last one through the codec.
    let first = Leave::open(folder.path()).await.unwrap();
    let second = Leave::open(folder.path()).await.unwrap();
    let third = LeaveClient::local(Leave::open(folder.path()).await.unwrap());
    first.grant(grant("2026", 50)).await.unwrap();

    let calls = (0..90).map(|index: u32| {
        let (first, second, third) = (first.clone(), second.clone(), third.clone());
        tokio::spawn(async move {
            match index % 3 {
                0 => ask(&first, index).await,
                1 => ask(&second, index).await,
                _ => ask(&third, index).await,
            }
        })
    });
    let mut spoken_for = 0;
    for answer in join_all(calls).await {
        spoken_for += answer.unwrap();
    }
    let (entitled, taken, pending, available) = days(&first).await;
    assert_eq!((entitled, available), (50, 50 - spoken_for));
    assert_eq!(taken + pending, spoken_for);
    assert!(
        available < 3,
        "{available} days were refused to those who asked for them"
    );
}

/// Asks for 1 to 3 days, and has some requests decided; days that are gone in the end.
async fn ask(leave: &impl LeaveService, index: u32) -> u32 {
    let asked = 1 + index % 3;
    let made = match leave.request(request(&format!("r{index}"), asked)).await {
        Ok(made) => made,
        Err(LeaveError::NotEnough {
            asked: told,
            available,
            ..
        }) => {
            assert!(told == asked && available < asked);
            return 0;
        }
        Err(other) => panic!("{other}"),
    };
    if index.is_multiple_of(4) {
        leave.approve(made.id).await.unwrap();
    }
    made.days
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_call_that_is_given_up_happens_wholly_or_not_at_all() {
    let (_folder, leave) = open().await;
    leave.grant(grant("2026", 60)).await.unwrap();
    for index in 0..60 {
        let call = leave.request(request(&format!("r{index}"), 1));
        // Some are given up before they begin, some in the middle, some not.
        let patience = Duration::from_micros(40 * index);
        let _ = tokio::time::timeout(patience, call).await;
    }
    let pending = days(&leave).await.2;
    let mut found = 0;
    for index in 0..60 {
        let LeaveRequest { id, days, .. } = leave
            .request(request(&format!("r{index}"), 1))
            .await
            .unwrap();
        found += days;
        leave.approve(id).await.unwrap();
    }
    assert!(pending <= found);
    assert_eq!(days(&leave).await, (60, 60, 0, 0));
}
