//! A client of the published dogerpc, of both.

use doge_interop::{Caller, dogerpc};
use serde_json::{Value, json};

use super::{
    members::{Kind, Member},
    python_load::PythonLoad,
};
use crate::LIMIT;

/// A client of these that tries a failed call once more.
fn caller(members: &[Member]) -> Caller {
    let ports: Vec<_> = members.iter().map(|member| member.port).collect();
    let refer = json!({"haStrategy": "failover", "slow.retries": 1, "count.retries": 1});
    Caller::dogerpc(&dogerpc::direct(&ports), &refer, "test")
}

fn members() -> [Member; 2] {
    [Kind::PlainPython, Kind::Rust].map(Member::start)
}

#[test]
fn python_and_rust_are_called_in_turn() {
    let members = members();
    let mut caller = caller(&members);
    let counts = [(); 6].map(|()| caller.call("count", json!([])).unwrap());
    assert_eq!(counts, [1, 1, 2, 2, 3, 3]);
}

#[test]
fn whichever_is_killed_the_other_takes_over_and_it_is_called_again_when_it_is_back() {
    for killed in 0..2 {
        let mut members = members();
        let load = PythonLoad::start(caller(&members));
        load.go_on_for(200);
        members[killed].kill();
        load.go_on_for(200);
        members[killed].restart();
        load.go_on_for(200);
        // The one that is back can be all there is.
        members[1 - killed].kill();
        load.go_on_for(200);
        assert_eq!(load.stop(), [""; 0]);
    }
}

#[test]
fn an_instance_in_rust_that_is_asked_to_end_fails_no_call_of_python() {
    let mut members = members();
    let load = PythonLoad::start(caller(&members));
    load.go_on_for(200);
    members[1].end();
    load.go_on_for(200);
    assert_eq!(load.stop(), [""; 0]);
}

#[test]
fn a_call_that_runs_when_rust_is_asked_to_end_is_answered() {
    let mut member = Member::start(Kind::Rust);
    let mut caller = caller(std::slice::from_ref(&member));
    // Connected, so that the call is there at once.
    assert_eq!(caller.call("slow", json!([0])), Ok(json!(0)));
    caller.process.say(r#"["slow", 400]"#);
    let mut other = Caller::mprpc(member.port);
    assert_eq!(other.call("slow", json!([50])), Ok(json!(50)));
    drop(other);
    member.end();
    let answer: Value =
        serde_json::from_str(&caller.process.line(LIMIT, |line| line.starts_with('{'))).unwrap();
    assert_eq!(answer, json!({"result": 400}));
}
