//! The harness itself, with a real etcd.

use doge_test_support::Etcd;

#[test]
fn one_member_keeps_its_data_over_a_restart() {
    let mut etcd = Etcd::start();
    etcd.put("/a/1", "one");
    etcd.put("/a/2", "");
    etcd.put("/b/1", "other");
    assert_eq!(etcd.keys("/a/"), ["/a/1", "/a/2"]);
    etcd.kill(0);
    etcd.restart(0);
    assert_eq!(etcd.get("/a/1").as_deref(), Some("one"));
    assert_eq!(etcd.get("/a/2").as_deref(), Some(""));
    assert_eq!(etcd.get("/a/3"), None);
    let before = etcd.revision();
    etcd.delete("/a/1");
    etcd.delete_prefix("/b");
    assert_eq!(etcd.revision(), before + 2);
    etcd.compact();
    assert_eq!(etcd.keys("/"), ["/a/2"]);
}

#[test]
fn three_members_bear_the_loss_of_one() {
    let mut etcd = Etcd::members(3);
    etcd.put("/a", "one");
    etcd.stop(0);
    assert_eq!(etcd.endpoints().len(), 3);
    assert!(etcd.log(1).contains("etcd"));
    assert_eq!(etcd.get("/a").as_deref(), Some("one"));
    etcd.restart(0);
}

#[test]
fn the_old_api_tells_what_happened_to_its_keys() {
    let etcd = Etcd::options().v2().start();
    let v2 = etcd.v2();
    let before = v2.index();
    v2.set("/p/s/n", "127.0.0.1:1", 10);
    v2.put("/p/s/n", "ttl=10&refresh=true&prevExist=true");
    v2.put("/p/s/m", "value=127.0.0.1:2&prevExist=false");
    let both = [("/p/s/m", "127.0.0.1:2"), ("/p/s/n", "127.0.0.1:1")];
    let both = both.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(v2.list("/p/s"), both);
    assert_eq!(v2.get("/p/s/m").as_deref(), Some("127.0.0.1:2"));
    v2.delete("/p/s/n");
    assert_eq!(v2.get("/p/s/n"), None);
    let events = ["set /p/s/n", "create /p/s/m", "delete /p/s/n"];
    assert_eq!(v2.events("/p/s", before), events);
}
