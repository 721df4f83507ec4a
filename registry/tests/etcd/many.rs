//! A thousand instances and two hundred watchers.

use doge_registry::Registry;
use doge_test_support::Etcd;
use futures_util::future::join_all;

use crate::common::{LIMIT, instance, key, registry, until, until_keys, watch};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_instances_and_two_hundred_watchers() {
    let etcd = Etcd::start();
    let providers = [registry(&etcd), registry(&etcd)];
    // Each a process of its own, as far as etcd can tell.
    let consumers: Vec<_> = (0..200).map(|_| registry(&etcd)).collect();
    let watches = join_all(consumers.iter().map(watch)).await;
    let registering = (0..1000).map(|at| {
        let address = format!("tcp://10.0.{}.{}:4399", at / 250, at % 250);
        providers[at % 2].register(instance(&address))
    });
    let mut held = join_all(registering)
        .await
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    until_keys(&etcd, 1000);
    let mut watches = watches;
    for watch in &mut watches {
        until(watch, |snapshot| snapshot.len() == 1000).await;
    }
    // A late one reads them page by page.
    assert_eq!(
        providers[0].watch(key()).await.unwrap().snapshot().len(),
        1000
    );

    // All leases are lost at once, and nobody sees an instance less.
    etcd.revoke_all();
    doge_test_support::eventually(LIMIT, "new leases", || etcd.leases().len() == 2);
    until_keys(&etcd, 1000);

    let leaving = held
        .split_off(900)
        .into_iter()
        .map(doge_registry::Registration::leave);
    for left in join_all(leaving).await {
        left.unwrap();
    }
    for watch in &mut watches {
        until(watch, |snapshot| snapshot.len() == 900).await;
    }
}
