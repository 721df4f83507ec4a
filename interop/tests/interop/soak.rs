//! Calls of all kinds each way, and whether each got its own answer: some thousands always, and many in soaks that
//! `cargo xtask nightly` runs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use doge_interop::{Failure, Meta, Methods as _, MethodsClient, Server, dogerpc, scenario};
use doge_rpc::{CallOptions, Code};
use rmpv::Value;
use serde_json::Value as Json;
use tokio::task::JoinSet;

use crate::ours::{blocking, client, port, serve};

/// Enough for each kind of call to meet each other kind on a connection.
const SOME: u32 = 10_000;
/// Minutes of calls.
const MANY: u32 = 500_000;

/// Each direction, with some calls, and with many in a soak.
macro_rules! each_way {
    ($($name:ident: $run:ident($($argument:expr)?);)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                $run($($argument,)? SOME).await;
            }
        )*

        mod soak {
            use super::*;

            $(
                #[tokio::test]
                #[ignore = "a soak of minutes, for cargo xtask nightly"]
                async fn $name() {
                    let began = Instant::now();
                    $run($($argument,)? MANY).await;
                    let seconds = began.elapsed().as_secs_f64();
                    let rate = f64::from(MANY) / seconds;
                    println!("figure: {}: {MANY} calls in {seconds:.0} s, {rate:.0} calls/s", stringify!($name));
                }
            )*
        }
    };
}

each_way! {
    python_clients_with_a_meta_map_get_their_own_answers_from_rust: from_python(Meta::First);
    python_clients_without_a_meta_map_get_their_own_answers_from_rust: from_python(Meta::Absent);
    the_published_dogerpc_gets_its_own_answers_from_rust: from_dogerpc();
    rust_clients_with_a_meta_map_get_their_own_answers_from_python: from_rust(Meta::First);
    rust_clients_without_a_meta_map_get_their_own_answers_from_python: from_rust(Meta::Absent);
}

#[track_caller]
fn assert_clean(seen: &Json, calls: u32) {
    assert_eq!(seen["calls"], calls, "{seen}");
    assert_eq!(seen["failed"], 0, "{seen}");
    assert_eq!(seen["desynchronised"], 0, "{seen}");
}

/// 16 callers.
async fn from_python(meta: Meta, calls: u32) {
    let server = serve().await;
    let port = port(&server);
    let run = move || {
        let calls = calls.to_string();
        scenario(
            "soak",
            port,
            meta,
            &["--calls", &calls, "--concurrency", "16"],
        )
    };
    assert_clean(&blocking(run).await[0], calls);
}

async fn from_dogerpc(calls: u32) {
    let server = serve().await;
    let registry = dogerpc::direct(&[port(&server)]);
    let seen = blocking(move || dogerpc::soak(&registry, "test", calls)).await;
    assert_clean(&seen, calls);
}

/// 16 callers, some of whom give up.
async fn from_rust(meta: Meta, calls: u32) {
    let server = Server::mprpc(meta);
    let client = client(&server.address());
    let (numbers, given_up) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let (client, numbers) = (client.clone(), Arc::clone(&numbers));
        let given_up = Arc::clone(&given_up);
        callers.spawn(async move {
            loop {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                if number >= u64::from(calls) {
                    break;
                }
                if !call(&client, number).await {
                    given_up.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    // One call in fifty is to be given up, and the test is one only if many were.
    assert!(given_up.load(Ordering::Relaxed) > u64::from(calls) / 1000);
}

/// Makes a call that no other call is answered like, or gives one up; whether there was an answer.
async fn call(client: &MethodsClient, number: u64) -> bool {
    match number % 20 {
        0 => assert_eq!(client.slow(number % 7).await, Ok(number % 7)),
        1 => {
            let count = number as usize % 50_000;
            assert_eq!(client.size(count).await.unwrap().len(), count);
        }
        2 => assert_eq!(client.boom().await, Err(Failure::Boom)),
        // Its caller is gone before there is an answer, which comes all the same.
        3 if number % 100 == 3 => {
            let patience = Duration::from_millis(1);
            return tokio::time::timeout(patience, client.slow(5)).await.is_ok();
        }
        // So is this one's, who says so beforehand.
        4 if number % 100 == 4 => {
            let hasty = client.with(CallOptions::new().timeout(Duration::from_millis(2)));
            match hasty.slow(100).await {
                Ok(ms) => assert_eq!(ms, 100),
                Err(late) => {
                    assert_eq!(late.code(), Code::DeadlineExceeded);
                    return false;
                }
            }
        }
        5..10 => {
            let sum = number as i64 + 1;
            assert_eq!(client.sum(number as i64, 1).await, Ok(sum));
        }
        _ => {
            let value = Value::Map(vec![("number".into(), number.into())]);
            assert_eq!(client.echo(value.clone()).await, Ok(value));
        }
    }
    true
}
