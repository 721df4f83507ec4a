//! What becomes of A and AAAA records.

use std::net::{Ipv6Addr, UdpSocket};

use doge_registry::{Dialect, Dns, Registry, ServiceKey, open};
use doge_test_support::{Mood, NameServer};

use crate::common::{NAME, key, places, quick, slow, watch};

#[tokio::test]
async fn each_address_is_an_instance_with_the_address_as_its_id() {
    let server = NameServer::start();
    let records = ["A 127.0.0.1", "A 127.0.0.2", "A 127.0.0.1", "AAAA ::1"];
    server.set(NAME, 60, records);
    let snapshot = watch(slow(&server)).await.snapshot();
    let mut expected = vec!["127.0.0.1:7000", "127.0.0.2:7000"];
    if UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        expected.push("[::1]:7000");
    }
    assert_eq!(places(&snapshot), expected);
    for instance in &snapshot {
        assert_eq!(instance.id(), instance.address());
        assert_eq!((instance.weight(), instance.key()), (100, &key()));
    }
    let again = watch(slow(&server)).await.snapshot();
    assert!(again.changes_since(&snapshot).is_empty());
}

#[tokio::test]
async fn the_dialect_is_the_scheme_of_the_address() {
    let server = NameServer::start();
    server.set(NAME, 60, ["A 127.0.0.1"]);
    for (dialect, address) in [
        (Dialect::Native, "tcp://127.0.0.1:7000"),
        (Dialect::Doge, "doge://127.0.0.1:7000"),
        (Dialect::MsgpackRpc, "msgpack-rpc://127.0.0.1:7000"),
    ] {
        let snapshot = watch(slow(&server).dialect(dialect)).await.snapshot();
        assert!(snapshot.get(address).is_some(), "{snapshot:?}");
    }
}

#[tokio::test]
async fn a_url_names_a_service_by_placeholders_or_stands_for_all() {
    let server = NameServer::start();
    server.set("hr-employee.svc.", 60, ["A 10.0.0.1"]);
    server.set("employee.hr.svc.", 60, ["A 10.0.0.2"]);
    server.set("hr-leave.svc.", 60, ["A 10.0.0.3"]);
    for (name, service, place) in [
        ("{service}.svc.", "hr.employee", "10.0.0.1:7000"),
        ("{service.reversed}.svc.", "hr.employee", "10.0.0.2:7000"),
        ("{service}.svc", "hr.leave", "10.0.0.3:7000"),
        ("hr-leave.svc.", "hr.employee", "10.0.0.3:7000"),
        ("hr-leave.svc.", "hr.leave", "10.0.0.3:7000"),
    ] {
        let registry = open(&format!("dns://{name}:7000?server={}", server.address())).unwrap();
        let key = ServiceKey::new(service);
        let snapshot = registry.watch(key.clone()).await.unwrap().snapshot();
        assert_eq!(places(&snapshot), [place], "{name} {service}");
        assert!(snapshot.iter().all(|instance| *instance.key() == key));
    }
}

#[tokio::test]
async fn aliases_lead_to_addresses_whether_the_server_follows_them_or_not() {
    let server = NameServer::start();
    server.set(NAME, 60, ["CNAME blue.hr.svc."]);
    server.set("blue.hr.svc.", 60, ["CNAME pods.hr.svc."]);
    server.set("pods.hr.svc.", 60, ["A 10.0.0.1"]);
    for follows in [true, false] {
        server.follows_aliases(follows);
        let snapshot = watch(slow(&server)).await.snapshot();
        assert_eq!(places(&snapshot), ["10.0.0.1:7000"], "follows: {follows}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_into_a_datagram_comes_over_tcp() {
    let server = NameServer::start();
    let over_tcp = |server: &NameServer| server.questions().iter().any(|it| it.tcp);
    server.set(NAME, 60, ["A 10.0.0.1"]);
    assert_eq!(watch(slow(&server)).await.snapshot().len(), 1);
    assert!(!over_tcp(&server));

    server.becomes(Mood::Truncated);
    assert_eq!(watch(slow(&server)).await.snapshot().len(), 1);
    assert!(over_tcp(&server));

    let server = NameServer::start();
    server.set(
        NAME,
        60,
        (0..300).map(|it| format!("A 10.0.{}.{}", it / 100, it % 100)),
    );
    assert_eq!(watch(slow(&server)).await.snapshot().len(), 300);
    assert!(over_tcp(&server));
}

#[tokio::test]
async fn of_a_huge_answer_the_first_1000_addresses_are_listed() {
    let server = NameServer::start();
    let records = (0..1_500).map(|it| format!("A 10.0.{}.{}", it / 100, it % 100));
    server.set(NAME, 60, records);
    let first = watch(slow(&server)).await.snapshot();
    assert_eq!(first.len(), 1_000);
    assert!(first.get("tcp://10.0.9.99:7000").is_some());
    // The same each time, whatever the order of the records.
    let records = (0..1_500).rev();
    server.set(
        NAME,
        60,
        records.map(|it| format!("A 10.0.{}.{}", it / 100, it % 100)),
    );
    let second = watch(slow(&server)).await.snapshot();
    assert!(second.changes_since(&first).is_empty());
}

#[tokio::test]
async fn an_address_that_names_no_host_is_no_instance() {
    let server = NameServer::start();
    server.set(
        NAME,
        60,
        ["A 0.0.0.0", "A 224.0.0.1", "AAAA fe80::1", "A 10.0.0.1"],
    );
    assert_eq!(
        places(&watch(slow(&server)).await.snapshot()),
        ["10.0.0.1:7000"]
    );
}

#[tokio::test]
async fn dns_takes_every_registration_and_announces_none() {
    let server = NameServer::start();
    server.set(NAME, 60, ["A 10.0.0.1"]);
    let registry: Dns = quick(&server).build().unwrap();
    assert!(!registry.registers());
    let instance = doge_registry::Instance::new(key(), "tcp://10.0.0.9:7000");
    let registration = registry.register(instance).await.unwrap();
    assert_eq!(
        places(&registry.watch(key()).await.unwrap().snapshot()),
        ["10.0.0.1:7000"]
    );
    registration.leave().await.unwrap();
    let refused = registry.register(doge_registry::Instance::new(
        ServiceKey::new("../x"),
        "tcp://a:1",
    ));
    assert!(refused.await.is_err());
}
