//! A handler that blocks its thread, and what others on its connection feel of that.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use doge_rpc::{client::Channel, prelude::*};
use tokio::{runtime::Handle, sync::watch, task::block_in_place};

#[service(name = "nested")]
trait Nested {
    /// Calls [`light`](Self::light) over the channel that it was called over, and blocks its thread meanwhile.
    async fn blocking(&self) -> Result<u64, Status>;

    async fn light(&self) -> Result<u64, Status>;
}

#[derive(Clone, Default)]
struct Blocks(Arc<OnceLock<NestedClient>>);

impl Nested for Blocks {
    async fn blocking(&self) -> Result<u64, Status> {
        let client = self.0.get().unwrap();
        block_in_place(|| Handle::current().block_on(client.light()))
    }

    async fn light(&self) -> Result<u64, Status> {
        Ok(7)
    }
}

const TIMEOUT: Duration = Duration::from_millis(200);

/// Calls that missed their deadline, and calls of a bystander on the same connection that took half that time.
async fn missed(calls: usize) -> (usize, usize) {
    let service = Blocks::default();
    let server = Server::builder().add(NestedServer::new(service.clone()));
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let channel = Channel::new(server.address().clone());
    let client = NestedClient::new(channel).with(CallOptions::new().timeout(TIMEOUT));
    service.0.set(client.clone()).unwrap();

    let (over, is_over) = watch::channel(false);
    let bystander = tokio::spawn({
        let client = client.clone();
        async move {
            let mut stalled = 0;
            while !*is_over.borrow() {
                let begun = Instant::now();
                // Answered too late or not at all, it has stalled.
                let _ = client.light().await;
                stalled += usize::from(begun.elapsed() > TIMEOUT / 2);
            }
            stalled
        }
    });
    let mut missed = 0;
    for _ in 0..calls {
        match client.blocking().await {
            Ok(answer) => assert_eq!(answer, 7),
            Err(status) => {
                assert_eq!(status.code(), Code::DeadlineExceeded);
                missed += 1;
            }
        }
    }
    over.send_replace(true);
    (missed, bystander.await.unwrap())
}

/// A method that blocks for long is tried in place again after 64 * 2^k calls at the earliest, from k = 2 on: the 5th time is before the
/// 4,000th call and the 6th after the 7,000th. What shares a read with a call that blocks is held up as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_handler_that_blocks_holds_up_its_connection_a_few_times_and_no_more() {
    let (missed, stalled) = missed(6_000).await;
    assert!(
        missed <= 6 && stalled <= 6,
        "{missed} missed, {stalled} stalled"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes minutes in a debug build: for the nightly run, with `cargo nextest run --run-ignored only`"]
async fn of_100_000_calls_that_block_ten_hold_up_their_connection() {
    let (missed, stalled) = missed(100_000).await;
    assert!(
        missed <= 10 && stalled <= 10,
        "{missed} missed, {stalled} stalled"
    );
}
