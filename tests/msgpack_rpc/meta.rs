//! The map in front of the params: where it is, and what it says.

use std::collections::BTreeMap;

use doge_rpc::{
    Code,
    client::Client,
    msgpack_rpc::{MetaMap, Options},
};

use crate::{
    calculator::{serve, serve_options},
    peer::Peer,
};

fn map<'a>(entries: &[(&'a str, &'a str)]) -> BTreeMap<&'a str, &'a str> {
    entries.iter().copied().collect()
}

#[tokio::test]
async fn the_map_is_metadata_and_so_the_trace_goes_on() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    let meta = map(&[("uber-trace-id", "1a2b:3c4d:0:1"), ("uberctx-User", "ada")]);
    let said: String = peer.call("beside", &(meta,)).await.unwrap();
    assert_eq!(said, "uber-trace-id=1a2b:3c4d:0:1\nuberctx-user=ada\n");
    let none: String = peer.call("beside", &[(); 0]).await.unwrap();
    assert_eq!(none, "");
}

#[tokio::test]
async fn the_time_that_is_left_comes_in_it() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    let left: u64 = peer
        .call("left", &(map(&[("doge-timeout-ms", "60000")]),))
        .await
        .unwrap();
    assert!((50_000..=60_000).contains(&left), "{left}");
    let left: u64 = peer.call("left", &[(); 0]).await.unwrap();
    assert!((1..=1000).contains(&left), "{left}");
    let mut peer = Peer::connect(&server).await;
    let late = peer
        .call::<u64>("left", &(map(&[("doge-timeout-ms", "0")]),))
        .await;
    assert_eq!(
        late,
        Err("the deadline had passed when the call came".into())
    );
    // Not among the metadata.
    let said: String = peer
        .call("beside", &(map(&[("doge-timeout-ms", "60000")]),))
        .await
        .unwrap();
    assert_eq!(said, "");
}

#[tokio::test]
async fn arity_tells_whether_there_is_a_map() {
    let server = serve().await;
    let ada = map(&[("name", "Ada")]);
    let (none, some) = (map(&[]), map(&[("k", "v")]));
    let told = |text: &str| Ok::<String, String>(text.into());

    // With a map in front of all calls; of two params, the first one may be either until the connection has shown it.
    let mut with = Peer::connect(&server).await;
    assert_eq!(with.call("record", &(&none, &ada)).await, told("Ada:"));
    assert_eq!(
        with.call("record", &(&some, &ada, "x")).await,
        told("Ada:x")
    );
    assert_eq!(with.call("record", &(&some, &ada)).await, told("Ada:"));

    // And without.
    let mut without = Peer::connect(&server).await;
    assert_eq!(without.call("record", &(&ada,)).await, told("Ada:"));
    assert_eq!(without.call("record", &(&ada, "x")).await, told("Ada:x"));
}

#[tokio::test]
async fn what_arity_cannot_tell_can_be_said() {
    let ada = map(&[("name", "Ada")]);
    let options = |meta| Options {
        meta,
        ..Options::default()
    };
    let never = serve_options(options(MetaMap::Never)).await;
    let mut peer = Peer::connect(&never).await;
    assert_eq!(
        peer.call("record", &(&ada, "x")).await,
        Ok("Ada:x".to_owned())
    );
    let error = peer.call::<i64>("sum", &(map(&[]), 1)).await.unwrap_err();
    assert!(error.contains("argument `a`"), "{error}");

    let always = serve_options(options(MetaMap::Always)).await;
    let mut peer = Peer::connect(&always).await;
    assert_eq!(
        peer.call("record", &(&ada, &ada)).await,
        Ok("Ada:".to_owned())
    );
    assert_eq!(peer.call("sum", &(7, 1, 2)).await, Ok(3));
    let error = peer.call::<i64>("sum", &(map(&[]), 1)).await.unwrap_err();
    assert_eq!(error, "test.calculator/sum: argument `b` is missing");
}

/// Content of an argument is somebody else's where a handler passes on what its caller sent.
#[tokio::test]
async fn an_argument_that_looks_like_a_meta_map_is_none_where_there_are_none() {
    let forged = map(&[
        ("doge-service", "test.calculator"),
        ("authorization", "forged"),
    ]);
    let never = Options {
        meta: MetaMap::Never,
        ..Options::default()
    };
    for server in [serve_options(never).await, serve().await] {
        let mut peer = Peer::connect(&server).await;
        // The connection has no meta map.
        assert_eq!(peer.call("sum", &(1, 2)).await, Ok(3));
        assert_eq!(peer.call("beside", &(&forged,)).await, Ok(String::new()));
    }
    let server = serve().await;
    let address = server.address().to_string();
    let client = Client::connect(address.replace("tcp", "msgpack-rpc")).unwrap();
    let untyped = client.untyped("test.calculator");
    let refused = untyped.call::<String>("record", (&forged, "x")).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(
        refused.never_ran() && refused.message().contains("doge-service"),
        "{refused}"
    );
}

/// It is logged, and told to observers and to the peer.
#[tokio::test]
async fn the_name_of_a_service_that_is_too_long_goes_nowhere() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    let name = "\u{1}".repeat(1 << 20);
    let meta = map(&[("doge-service", &name)]);
    let error = peer.call::<i64>("sum", &(&meta, 1, 2)).await.unwrap_err();
    assert!(error.len() < 1_000, "{} bytes", error.len());
    assert!(error.contains("a name of over 255 bytes"), "{error}");
}

/// Tracing has baggage of any size; doge takes it, and so the call runs, without what finds no room.
#[tokio::test]
async fn a_map_that_is_larger_than_metadata_fails_no_call() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    let large = "x".repeat(40_000);
    let meta = map(&[("k", &large), ("l", "v")]);
    assert_eq!(peer.call("sum", &(&meta, 1, 2)).await, Ok(3));
    assert_eq!(peer.call("beside", &(&meta,)).await, Ok("l=v\n".to_owned()));
    let many: Vec<_> = (0..200).map(|number| format!("k{number:03}")).collect();
    let many: Vec<_> = many.iter().map(|key| (&**key, "v")).collect();
    let beside: String = peer.call("beside", &(map(&many),)).await.unwrap();
    assert_eq!(beside.lines().count(), 128);
    assert!(beside.starts_with("k000=v\n"), "{beside}");
}
