use std::{sync::Arc, time::Duration};

use doge_rpc_core::{Code, Status};

use super::{
    super::MsgpackRpcConfig,
    peer::{Peer, call},
};

const TIME: Duration = Duration::from_millis(300);

/// What a call of 300 ms comes to when it is answered so long after it began, with an error or else with a result.
async fn answered_after(time: Duration, fails: bool) -> Result<(), Status> {
    let peer = Peer::listen(&format!("{time:?} {fails}")).await;
    let pool = peer.pool(MsgpackRpcConfig::default()).await;
    let mut line = peer.accept().await;
    let calling = {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { call(&pool, 1, TIME).await })
    };
    let (_, id) = line.asked().await.unwrap();
    tokio::time::sleep(time).await;
    match fails {
        true => line.fail(id).await,
        false => line.answer(id).await,
    }
    let response = calling.await.unwrap()?;
    match response.text() {
        Some(text) => Err(Status::unknown(text.to_owned())),
        None => Ok(()),
    }
}

/// The server stops the handler at the same moment, and says so as an error of the call.
#[tokio::test(start_paused = true)]
async fn an_error_that_comes_at_the_deadline_is_the_deadline() {
    let before = answered_after(TIME - Duration::from_millis(1), true).await;
    assert_eq!(before, Err(Status::unknown("boom")));
    let status = answered_after(TIME, true).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    assert!(!status.never_ran());
    let late = answered_after(2 * TIME, true).await.unwrap_err();
    let (status, late) = (status.message(), late.message());
    // Each call has an address of its own.
    for text in [status, late] {
        assert!(text.starts_with("s/m at "), "{text}");
        assert!(text.ends_with(": no answer within 300ms"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_result_is_one_up_to_the_deadline() {
    answered_after(TIME - Duration::from_millis(1), false)
        .await
        .unwrap();
}
