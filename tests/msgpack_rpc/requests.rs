//! Requests and their answers.

use std::collections::HashMap;

use doge_rpc::msgpack_rpc::{MsgId, Options};

use crate::{
    calculator::{serve, serve_options},
    peer::Peer,
};

#[tokio::test]
async fn what_doge_was_seen_to_send_is_answered_as_doge_was_seen_to_answer() {
    let server = serve().await;
    for (sent, answered) in [
        // With the meta map, and without it.
        (
            &b"\x94\x00\x01\xa3sum\x93\x80\x01\x02"[..],
            &b"\x94\x01\x01\xc0\x03"[..],
        ),
        (
            b"\x94\x00\x01\xa3sum\x93\x81\xa1k\xa1v\x01\x02",
            b"\x94\x01\x01\xc0\x03",
        ),
        (b"\x94\x00\x01\xa3sum\x92\x01\x02", b"\x94\x01\x01\xc0\x03"),
        (
            b"\x94\x00\x01\xa3sum\x93\xc0\x01\x02",
            b"\x94\x01\x01\xc0\x03",
        ),
        (
            b"\x94\x00\xcd\x01\x00\xa6refuse\x92\x80\xa4boom",
            b"\x94\x01\xcd\x01\x00\xa4boom\xc0",
        ),
    ] {
        let mut peer = Peer::connect(&server).await;
        peer.send(sent).await;
        assert_eq!(peer.bytes(answered.len()).await, answered, "{sent:02x?}");
    }
}

#[tokio::test]
async fn a_method_alone_is_of_the_first_service_and_any_other_has_its_service_in_front() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    assert_eq!(peer.call("sum", &(1, 2)).await, Ok(3));
    assert_eq!(peer.call("test.calculator/sum", &(1, 2)).await, Ok(3));
    assert_eq!(peer.call("test.calculator.sum", &(1, 2)).await, Ok(3));
    let hello = Ok("Hello, Ada!".to_owned());
    assert_eq!(peer.call("test.greeter/hello", &("Ada",)).await, hello);
    assert_eq!(peer.call("test.greeter.hello", &("Ada",)).await, hello);

    let server = serve_options(Options {
        default_service: Some("test.greeter".into()),
        ..Options::default()
    })
    .await;
    let mut peer = Peer::connect(&server).await;
    assert_eq!(peer.call("hello", &("Ada",)).await, hello);
}

#[tokio::test]
async fn a_default_service_that_is_not_served_is_refused_at_the_start() {
    let options = Options {
        default_service: Some("test.gretter".into()),
        ..Options::default()
    };
    let server = doge_rpc::Server::builder().msgpack_rpc(options);
    let error = server.start("tcp://127.0.0.1:0").await.unwrap_err();
    assert!(error.to_string().contains("\"test.gretter\""), "{error}");
}

/// Doge's defect 11: Python doge hangs up, and ten such calls take the node out.
#[tokio::test]
async fn an_unknown_method_is_answered_and_the_connection_goes_on() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    for (method, said) in [
        ("no_such_method", "has no method \"no_such_method\""),
        ("__class__", "has no method \"__class__\""),
        ("test.greeter/sum", "test.greeter has no method \"sum\""),
        ("nobody/sum", "no service \"nobody\""),
        ("nobody.sum", "has no method \"nobody.sum\""),
        ("", "has no method \"\""),
    ] {
        let error = peer.call::<()>(method, &[(); 0]).await.unwrap_err();
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(peer.call("sum", &(1, 2)).await, Ok(3));
}

#[tokio::test]
async fn errors_are_texts_and_never_empty() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    for (method, params, text) in [
        // What the application's error displays.
        ("div", vec![7, 0], "7 cannot be divided by zero"),
        // One that displays nothing.
        ("silent", vec![], "{\"Nothing\": {\"at\": 7}}"),
        ("panics", vec![], "the handler panicked"),
        (
            "sum",
            vec![1],
            "test.calculator/sum: argument `b` is missing",
        ),
    ] {
        assert_eq!(peer.call::<i64>(method, &params).await, Err(text.into()));
    }
    // Defect 12: an exception without a text is delivered as success.
    let empty = peer.call::<()>("refuse", &("",)).await;
    assert_eq!(empty, Err("not found".into()));
    assert_eq!(
        peer.call::<()>("refuse", &("boom",)).await,
        Err("boom".into())
    );
}

#[tokio::test]
async fn any_integer_is_an_id_and_comes_back() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    for (id, back) in [
        (&b"\x00"[..], &b"\x00"[..]),
        (b"\xff", b"\xff"),
        (b"\xcc\x01", b"\x01"),
        (b"\xcf\x00\x00\x00\x00\x00\x00\x00\x05", b"\x05"),
        (
            b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
        ),
        (
            b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00",
            b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00",
        ),
        (b"\xd2\x80\x00\x00\x00", b"\xd2\x80\x00\x00\x00"),
    ] {
        peer.send(&[b"\x94\x00", id, b"\xa3sum\x92\x01\x02"].concat())
            .await;
        let expected = [b"\x94\x01", back, b"\xc0\x03"].concat();
        assert_eq!(peer.bytes(expected.len()).await, expected, "{id:02x?}");
    }
}

#[tokio::test]
async fn a_method_is_a_string_of_any_width() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    for head in [
        &b"\xa3"[..],
        b"\xd9\x03",
        b"\xda\x00\x03",
        b"\xdb\x00\x00\x00\x03",
    ] {
        peer.send(&[b"\x94\x00\x01", head, b"sum\x92\x01\x02"].concat())
            .await;
        assert_eq!(peer.answer().await, (MsgId::from(1), Ok(3)));
    }
}

#[tokio::test]
async fn a_notification_runs_and_gets_no_answer() {
    let (server, mut inside) = crate::calculator::serve_with(|server| server).await;
    let mut peer = Peer::connect(&server).await;
    for notification in [
        &b"\x93\x02\xa4note\x91\xa5hello"[..],
        b"\x93\x02\xa4note\x92\x80\xa5again",
        b"\x93\x02\xa6refuse\x91\xa4boom",
        b"\x93\x02\xa7unknown\x90",
    ] {
        peer.send(notification).await;
    }
    assert_eq!(peer.call("sum", &(1, 2)).await, Ok(3));
    assert_eq!(inside.notes.recv().await.unwrap(), "hello");
    assert_eq!(inside.notes.recv().await.unwrap(), "again");
}

#[tokio::test]
async fn large_values_go_both_ways() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    let large = "x".repeat(32 * 1024 * 1024);
    assert_eq!(peer.call("blob", &(&large,)).await, Ok(large.len()));
    let answer: String = peer.call("size", &(large.len(),)).await.unwrap();
    assert_eq!(answer.len(), large.len());
}

#[tokio::test]
async fn both_dialects_are_served_beside_each_other() {
    use crate::calculator::{Calculator as _, CalculatorClient};
    let server = serve().await;
    let native = CalculatorClient::connect(server.address()).unwrap();
    let mut peer = Peer::connect(&server).await;
    for _ in 0..10 {
        assert_eq!(native.sum(1, 2).await.unwrap(), 3);
        assert_eq!(peer.call("sum", &(1, 2)).await, Ok(3));
    }
    let nothing: HashMap<String, String> = HashMap::new();
    let mut peer = Peer::connect(&server).await;
    assert_eq!(peer.call("sum", &(nothing, 1, 2)).await, Ok(3));
}
