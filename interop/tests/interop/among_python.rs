//! Python clients of Python servers.

#[cfg(feature = "etcd")]
mod etcd;

use doge_interop::{Caller, Meta, Server, dogerpc, scenario};
use doge_test_support::free_port;
use serde_json::{Value, json};

use crate::LIMIT;

#[track_caller]
fn come_back_the_same(name: &str, at_least: usize) {
    for meta in Meta::BOTH {
        let server = Server::mprpc(meta);
        let cases = scenario(name, server.port, meta, &[]);
        assert!(cases.len() >= at_least, "{cases:?}");
        for case in cases {
            assert_eq!(case["same"], true, "{case}");
        }
    }
}

#[test]
fn values_of_all_types_come_back_the_same() {
    come_back_the_same("values", 90);
}

#[test]
fn large_values_come_back_the_same() {
    come_back_the_same("large", 5);
}

#[test]
fn errors_are_what_mprpc_makes_of_them() {
    for meta in Meta::BOTH {
        let server = Server::mprpc(meta);
        let cases = scenario("errors", server.port, meta, &[]);
        let outcome = |name: &str| {
            let case = cases.iter().find(|case| case["case"] == name).unwrap();
            case.get("error").unwrap_or(&case["result"]).clone()
        };
        assert_eq!(outcome("a method that fails"), "RPCError: boom");
        assert_eq!(outcome("a method that fails without a text"), Value::Null);
        assert_eq!(
            outcome("too few arguments"),
            "RPCError: Methods.sum() missing 1 required positional argument: 'b'"
        );
        assert_eq!(outcome("an unknown method"), "OSError: Connection closed");
        let after = cases
            .iter()
            .filter(|case| case["case"].as_str().unwrap().starts_with("after "));
        assert!(after.clone().all(|case| case["result"] == 3), "{cases:?}");
        assert_eq!(after.count(), 7);
    }
}

#[test]
fn a_client_that_gave_up_does_not_get_the_late_answer() {
    for meta in Meta::BOTH {
        let server = Server::mprpc(meta);
        assert_eq!(
            scenario("timeout", server.port, meta, &[]),
            [
                json!({"case": "too slow", "error": "TimeoutError: timed out"}),
                json!({"case": "at once", "result": "at once"}),
                json!({"case": "later", "result": "later"}),
            ]
        );
    }
}

#[test]
fn a_pool_of_three_connections_serves_many_callers() {
    for meta in Meta::BOTH {
        let server = Server::mprpc(meta);
        assert_eq!(
            scenario("pool", server.port, meta, &[]),
            [json!({"case": "pool", "right": 30, "connections": 3})]
        );
    }
}

#[test]
fn no_connection_is_desynchronised_by_many_calls_of_all_kinds() {
    for meta in Meta::BOTH {
        let server = Server::mprpc(meta);
        let cases = scenario("soak", server.port, meta, &["--calls", "5000"]);
        assert_eq!(cases[0]["calls"], 5000);
        assert_eq!(cases[0]["failed"], 0, "{cases:?}");
        assert_eq!(cases[0]["desynchronised"], 0, "{cases:?}");
    }
}

#[test]
fn the_rate_is_found_out_for_one_connection_and_for_sixteen() {
    let server = Server::mprpc(Meta::First);
    let cases = scenario("rate", server.port, Meta::First, &["--seconds", "0.2"]);
    let connections = cases.iter().map(|case| case["connections"].as_u64());
    assert_eq!(connections.collect::<Vec<_>>(), [Some(1), Some(16)]);
    for case in cases {
        assert!(case["calls_per_second"].as_u64().unwrap() > 0, "{case}");
    }
}

#[test]
fn a_caller_sends_the_parameters_that_it_is_told() {
    let server = Server::mprpc(Meta::First);
    let mut caller = Caller::mprpc(server.port);
    assert_eq!(caller.call("sum", json!([{}, 1, 2])), Ok(json!(3)));
    let meta = json!({"uber-trace-id": "1a2b:3c4d:0:1"});
    assert_eq!(caller.call("meta", json!([meta])), Ok(meta));
    assert_eq!(
        caller.call("sum", json!([])),
        Err("RPCError: tuple index out of range".to_owned())
    );
    assert_eq!(
        caller.call("size", json!([null, 2])),
        Ok(json!("b'\\x00\\x00'"))
    );
}

#[test]
fn past_the_limit_of_connections_a_call_waits_until_another_connection_closes() {
    let server = Server::mprpc_at(free_port(), Meta::Absent, &["--limit-conn", "1"]);
    let mut first = Caller::mprpc(server.port);
    assert_eq!(first.call("count", json!([])), Ok(json!(1)));
    let mut second = Caller::mprpc(server.port);
    second.process.say(r#"["count"]"#);
    assert_eq!(first.call("count", json!([])), Ok(json!(2)));
    drop(first);
    let answer = second.process.line(LIMIT, |line| line.starts_with('{'));
    assert_eq!(answer, r#"{"result": 3}"#);
}

#[test]
fn the_published_dogerpc_talks_to_itself_without_a_meta_map() {
    let registry = dogerpc::direct(&[]);
    let server = Server::dogerpc(&registry, "test", "n1");
    let registry = dogerpc::direct(&[server.port]);
    let mut caller = Caller::dogerpc(&registry, &json!({}), "test");
    assert_eq!(caller.call("sum", json!([1, 2])), Ok(json!(3)));
    assert_eq!(
        caller.call("boom", json!([])),
        Err("RemoteError: boom".to_owned())
    );
    assert_eq!(
        caller.call("no_such_method", json!([])),
        Err("RemoteError: socket error or bad method".to_owned())
    );
    let seen = dogerpc::soak(&registry, "test", 2000);
    assert_eq!(seen["failed"], 0, "{seen}");
    assert_eq!(seen["desynchronised"], 0, "{seen}");
    // That it takes no meta map is seen by plain mprpc, too.
    let mut plain = Caller::mprpc(server.port);
    assert_eq!(plain.call("echo", json!(["x"])), Ok(json!("x")));
}
