//! Defects 9, 12 and 13: what one call does to another, and errors that say nothing.

use std::time::Duration;

use doge_rpc::{CallOptions, Code, Status};

use crate::common::{Act, Fleet, Probe, ProbeClient, Published, patient, soon};

// The list of endpoints changed under the hands of those who chose from it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn defect_09_endpoints_change_while_threads_choose_from_them() {
    let fleet = Fleet::of(3).await;
    let registry = Published::new(&fleet);
    let (_cluster, client) = fleet.follow(registry.cluster()).await;
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for key in 0..250 {
                    client.read(key).await?;
                }
                Ok::<_, Status>(())
            })
        })
        .collect();
    let instances: Vec<_> = fleet
        .replicas
        .iter()
        .map(|it| it.instance.clone())
        .collect();
    let mut round = 0;
    while !callers.iter().all(tokio::task::JoinHandle::is_finished) {
        // One of them is always away.
        let there = instances
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != round % 3);
        registry
            .publish(there.map(|(_, instance)| instance.clone()))
            .await;
        round += 1;
    }
    for caller in callers {
        soon(caller).await.unwrap().unwrap();
    }
    assert_eq!(fleet.total(), 1_000);
}

// A client that could not be made kept a lock, and every later call waited for it for ever.
#[tokio::test]
async fn defect_09_a_client_that_cannot_be_made_is_in_nobodys_way() {
    let fleet = Fleet::of(1).await;
    let registry = Published::new(&fleet);
    registry.refuse_once("no");
    let error = registry.cluster().follow().await.unwrap_err();
    assert!(error.to_string().contains("no"), "{error}");
    let cluster = soon(registry.cluster().follow()).await.unwrap();
    let client = ProbeClient::new(cluster).with(patient());
    assert_eq!(soon(client.read(1)).await.unwrap(), 0);
}

// An exception without a text was delivered as a success with nothing in it.
#[tokio::test]
async fn defect_12_an_error_without_a_text_is_an_error() {
    let fleet = Fleet::of(1).await;
    let (_cluster, client) = fleet.follow(fleet.cluster()).await;
    for code in [Code::Unknown, Code::Internal, Code::NotFound] {
        fleet.all(&Act::Fail(Status::new(code, "")));
        let status = client.write().await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, ""));
    }
}

// A caller's timeout left its answer on the connection, and every later call there failed.
#[tokio::test]
async fn defect_13_a_call_that_timed_out_spoils_no_later_one() {
    let fleet = Fleet::of(1).await;
    let (_cluster, client) = fleet.follow(fleet.cluster()).await;
    let hurried = client.with(CallOptions::new().timeout(Duration::from_millis(20)));
    for round in 0..10 {
        // Given up while it runs, and when its answer is on the way.
        fleet.all(&match round % 2 {
            0 => Act::Hang,
            _ => Act::Take(Duration::from_millis(20)),
        });
        let _ = hurried.read(round).await;
        fleet.all(&Act::Answer);
        let cut_short = tokio::time::timeout(Duration::ZERO, client.read(round)).await;
        assert!(cut_short.is_err() || cut_short.unwrap().is_ok());
        assert_eq!(soon(client.write()).await.unwrap(), 0);
    }
    assert_eq!(fleet.replicas[0].proxy.accepted(), 1, "over one connection");
}
