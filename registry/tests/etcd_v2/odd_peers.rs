//! What answers is no etcd, or one in trouble.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doge_registry::{EtcdV2, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::common::{at, instance, key, until_at, watch};

/// A peer that sends what `answer` makes of the first line of each request, and hangs up.
async fn peer(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> EtcdV2 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let line = first_line(&mut client).await;
                // Whoever has had enough of it hangs up.
                let _ = client.write_all(&answer(&line)).await;
            });
        }
    });
    let quick = at(vec![address]).request_timeout(Duration::from_millis(500));
    quick.build().unwrap()
}

async fn first_line(client: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if client.read_buf(&mut request).await.unwrap_or(0) == 0 {
            break;
        }
    }
    let text = String::from_utf8_lossy(&request);
    text.lines().next().unwrap_or_default().to_owned()
}

fn http(status: &str, index: u64, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nX-Etcd-Index: {index}\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

async fn refusal_of(registry: &EtcdV2) -> String {
    let watched = registry.watch(key()).await.unwrap_err();
    let registered = registry.register(instance("tcp://a:1")).await.unwrap_err();
    format!("{watched}\n{registered}")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_speaks_no_http_is_an_error() {
    for answer in [
        &b""[..],
        b"\0\xff\x80",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{",
    ] {
        let registry = peer(move |_| answer.to_vec()).await;
        let text = refusal_of(&registry).await;
        assert!(text.contains("see that etcd runs"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_json_of_etcd_is_an_error() {
    for body in ["", "null", "[]", "<html>", "{\"node\":7}"] {
        let registry = peer(move |_| http("200 OK", 1, body)).await;
        let text = refusal_of(&registry).await;
        assert!(text.contains("cannot be read"), "{body}: {text}");
    }
    let registry = peer(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec()).await;
    let text = registry.watch(key()).await.unwrap_err().to_string();
    assert!(text.contains("--enable-v2=true"), "{text}");
}

/// It may promise as much as it likes, and send it as well.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_bounded() {
    let head = "HTTP/1.1 200 OK\r\nX-Etcd-Index: 1\r\n";
    let promise = format!("{head}Content-Length: 18446744073709551614\r\n\r\n{{");
    let long = format!(
        "{head}\r\n{{\"node\":{{\"key\":\"{}",
        "x".repeat(9 * 1024 * 1024)
    );
    let chunk = format!("{head}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFF0\r\n{{");
    let heads = format!("{head}X: {}", "x".repeat(9 * 1024 * 1024));
    for answer in [promise, long, chunk, heads] {
        let answer = answer.into_bytes();
        let registry = peer(move |_| answer.clone()).await;
        registry.watch(key()).await.unwrap_err();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_keys_than_any_fleet_has_are_an_error_that_says_so() {
    let body = format!(
        r#"{{"node":{{"nodes":[{}]}}}}"#,
        vec!["{}"; 100_000].join(",")
    );
    let registry = peer(move |_| http("200 OK", 1, &body)).await;
    let text = registry.watch(key()).await.unwrap_err().to_string();
    assert!(text.contains("see who keeps so much"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let answer = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let registry = peer(|_| answer.to_vec()).await;
    let text = refusal_of(&registry).await;
    assert!(text.contains("307"), "{text}");
}

/// The index that is waited for was cleared between the list and the watch.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_was_cleared_is_listed_anew() {
    let lists = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&lists);
    let registry = peer(move |line| {
        if line.contains("wait=true") {
            let body = r#"{"errorCode":401,"message":"The event in requested index is outdated and cleared","cause":"","index":2000}"#;
            return http("400 Bad Request", 2000, body);
        }
        let at = counted.fetch_add(1, Ordering::Relaxed) + 1;
        let body = format!(r#"{{"action":"get","node":{{"key":"/doge/rpc/hr.employee","dir":true,"nodes":[{{"key":"/doge/rpc/hr.employee/n","value":"a:{at}"}}]}}}}"#);
        http("200 OK", 5, &body)
    })
    .await;
    let mut watch = watch(&registry).await;
    until_at(&mut watch, &["doge://a:3"]).await;
}

/// A history shorter than what was listed would be silent for ever.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_went_back_is_listed_anew() {
    let lists = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&lists);
    let registry = peer(move |line| {
        if line.contains("wait=true") {
            // It says so at once, and nothing more.
            return b"HTTP/1.1 200 OK\r\nX-Etcd-Index: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
                .to_vec();
        }
        let at = counted.fetch_add(1, Ordering::Relaxed) + 1;
        let body = format!(
            r#"{{"node":{{"nodes":[{{"key":"/doge/rpc/hr.employee/n","value":"a:{at}"}}]}}}}"#
        );
        http("200 OK", 500, &body)
    })
    .await;
    let mut watch = watch(&registry).await;
    until_at(&mut watch, &["doge://a:2"]).await;
}

/// As far as an index can count.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_cannot_go_on_ends_no_watch() {
    let lists = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&lists);
    let registry = peer(move |line| {
        if line.contains("wait=true") {
            return http("200 OK", u64::MAX, "{}");
        }
        let at = counted.fetch_add(1, Ordering::Relaxed) + 1;
        let body = format!(
            r#"{{"node":{{"nodes":[{{"key":"/doge/rpc/hr.employee/n","value":"a:{at}"}}]}}}}"#
        );
        let index = if at.is_multiple_of(2) { 1 } else { u64::MAX };
        http("200 OK", index, &body)
    })
    .await;
    let mut watch = watch(&registry).await;
    until_at(&mut watch, &["doge://a:4"]).await;
}

/// Doge has none either.
#[tokio::test(flavor = "multi_thread")]
async fn an_etcd_that_asks_for_a_login_is_told_apart_and_not_asked_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    for body in [
        r#"{"errorCode":110,"message":"The request requires user authentication","cause":"Insufficient credentials","index":0}"#,
        // Of what may stand between.
        "<html>who are you?</html>",
    ] {
        let counted = Arc::clone(&asked);
        let registry = peer(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            http("401 Unauthorized", 0, body)
        })
        .await;
        let text = refusal_of(&registry).await;
        assert!(text.contains("guests"), "{text}");
        assert_eq!(asked.swap(0, Ordering::Relaxed), 2, "once for each");
    }
}

/// As behind a proxy that keeps the head of an answer until all of it is there.
#[tokio::test(flavor = "multi_thread")]
async fn who_can_only_list_believes_the_second_list_as_well() {
    let lists = Arc::new(AtomicUsize::new(0));
    let registry = peer(move |line| {
        if line.contains("wait=true") {
            return Vec::new();
        }
        let nodes = match lists.fetch_add(1, Ordering::Relaxed) {
            0 => r#"{"key":"/doge/rpc/hr.employee/n","value":"a:1"}"#,
            _ => "",
        };
        let body = format!(r#"{{"node":{{"nodes":[{nodes}]}}}}"#);
        http("200 OK", 1, &body)
    })
    .await;
    let mut watch = watch(&registry).await;
    assert_eq!(watch.snapshot().len(), 1);
    until_at(&mut watch, &[]).await;
}
