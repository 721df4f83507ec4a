//! A thousand instances and two hundred watchers.

use std::time::Duration;

use doge_registry::{Etcd, Instance, Registration, Registry, ServiceKey, Watch};
use doge_test_support as support;
use futures_util::future::join_all;

use crate::common::{LIMIT, builder, registry, until, watch};

const PLACE: &str = "/doge/rpc/";
const SERVICES: usize = 10;
const EACH: usize = 100;
const HANDLES: usize = 20;

fn key(service: usize) -> ServiceKey {
    ServiceKey::new(format!("s{service}"))
}

fn until_keys(etcd: &support::Etcd, count: usize) {
    support::eventually(LIMIT, &format!("{count} keys"), || {
        etcd.keys(PLACE).len() == count
    });
}

async fn until_each(watches: &mut [Watch], count: usize) {
    for watch in watches {
        until(watch, |snapshot| snapshot.len() == count).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_instances_and_two_hundred_watchers() {
    let etcd = support::Etcd::start();
    let provider = || builder(&etcd).ttl(Duration::from_secs(10)).build().unwrap();
    let providers: [Etcd; 2] = [provider(), provider()];
    // Each a process of its own, as far as etcd can tell.
    let consumers: Vec<Etcd> = (0..HANDLES).map(|_| registry(&etcd)).collect();
    let watching = consumers
        .iter()
        .flat_map(|consumer| (0..SERVICES).map(|service| consumer.watch(key(service))));
    let mut watches: Vec<Watch> = join_all(watching)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(watches.len(), 200);

    let registering = (0..SERVICES * EACH).map(|at| {
        let address = format!("tcp://10.0.{}.{}:4399", at / 250, at % 250);
        providers[at % 2].register(Instance::new(key(at / EACH), address))
    });
    let mut held: Vec<Registration> = join_all(registering)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(etcd.keys(PLACE).len(), 1000);
    until_each(&mut watches, EACH).await;

    // All leases are lost at once, and all instances come back.
    etcd.revoke_all();
    until_keys(&etcd, 1000);
    until_each(&mut watches, EACH).await;

    // A tenth of each service leaves.
    let mut leaving = Vec::new();
    for service in (0..SERVICES).rev() {
        leaving.extend(held.drain(service * EACH..service * EACH + EACH / 10));
    }
    for left in join_all(leaving.into_iter().map(Registration::leave)).await {
        left.unwrap();
    }
    assert_eq!(etcd.keys(PLACE).len(), 900);
    until_each(&mut watches, EACH - EACH / 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_service_is_read_page_by_page() {
    let etcd = support::Etcd::start();
    for at in 0..520 {
        etcd.put(
            &format!("{}{at}", crate::common::PLACE),
            &format!("a:{}", at + 1),
        );
    }
    assert_eq!(watch(&registry(&etcd)).await.snapshot().len(), 520);
}
