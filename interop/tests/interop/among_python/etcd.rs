//! The published dogerpc over the second version of etcd's API.

use doge_interop::{Caller, Server, dogerpc};
use doge_test_support::{Etcd, eventually};
use serde_json::json;

use crate::LIMIT;

#[test]
fn a_client_finds_servers_by_etcd_and_notices_when_one_is_gone() {
    let etcd = Etcd::options().arguments(["--enable-v2=true"]).start();
    let registry = dogerpc::etcd(&etcd.addresses()[0], 2);
    let first = Server::dogerpc(&registry, "test", "n1");
    let mut second = Server::dogerpc(&registry, "test", "n2");
    let mut caller = Caller::dogerpc(&registry, &json!({}), "test");
    // In turns.
    let counts = [(); 4].map(|()| caller.call("count", json!([])).unwrap());
    assert_eq!(counts, [1, 1, 2, 2]);
    second.process.kill();
    // Its registration ends, and from then on no call goes there.
    let mut in_a_row = 0;
    eventually(LIMIT, "all calls reach the one that is left", || {
        let answered = caller.call("echo", json!([0])).is_ok();
        in_a_row = if answered { in_a_row + 1 } else { 0 };
        in_a_row == 4
    });
    drop(first);
}
