use std::{pin::pin, sync::Arc};

use doge_registry::{
    BoxFuture, Instance, Publisher, Registration, Registry, RegistryError, ServiceKey, Snapshot,
    Watch,
};

use crate::{ChannelPool, Cluster, cluster::Endpoint};

/// A registry that has what the test says.
#[derive(Debug)]
struct Published(Publisher);

impl Registry for Published {
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        unreachable!("no test registers {instance:?} here")
    }

    fn watch(&self, _: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        Box::pin(async { Ok(self.0.watch()) })
    }
}

/// Follows what has these instances.
async fn follow(instances: &[Instance]) -> (Arc<Published>, Cluster) {
    let first = Snapshot::from_iter(instances.iter().cloned());
    let published = Arc::new(Published(Publisher::new(first)));
    let registry: Arc<dyn Registry> = published.clone();
    let cluster = Cluster::builder(key())
        .registry(&registry)
        .pool(&ChannelPool::default())
        .follow()
        .await
        .unwrap();
    (published, cluster)
}

/// Has these from now on, and waits until the cluster knows it.
async fn publish(published: &Published, cluster: &Cluster, instances: &[Instance]) {
    let mut changed = pin!(cluster.shared.core.changed.notified());
    changed.as_mut().enable();
    published
        .0
        .publish(Snapshot::from_iter(instances.iter().cloned()));
    changed.await;
}

fn key() -> ServiceKey {
    ServiceKey::new("hr.employee")
}

fn endpoints(cluster: &Cluster) -> Vec<Endpoint> {
    cluster.shared.core.set.load().endpoints().to_vec()
}

#[tokio::test]
async fn of_ten_thousand_those_that_stay_are_the_endpoints_they_were() {
    let instances: Vec<_> = (0..10_000)
        .map(|number| Instance::new(key(), format!("memory://{number}")))
        .collect();
    let (published, cluster) = follow(&instances).await;
    let before = endpoints(&cluster);
    assert_eq!(before.len(), 10_000);

    let gone = instances[5_000].id();
    let stay: Vec<_> = instances
        .iter()
        .filter(|it| it.id() != gone)
        .cloned()
        .collect();
    publish(&published, &cluster, &stay).await;
    let after = endpoints(&cluster);
    assert_eq!(after.len(), 9_999);
    let stayed = before.iter().filter(|it| it.instance().id() != gone);
    for (before, after) in stayed.zip(&after) {
        assert!(Arc::ptr_eq(before.load(), after.load()));
        assert!(Arc::ptr_eq(before.health(), after.health()));
    }
}

#[tokio::test]
async fn a_new_process_at_an_old_address_is_a_fresh_endpoint_over_the_same_channel() {
    let (earlier, later) = (
        Instance::new(key(), "memory://here"),
        Instance::new(key(), "memory://here"),
    );
    let (published, cluster) = follow(std::slice::from_ref(&earlier)).await;
    let before = endpoints(&cluster);

    publish(&published, &cluster, &[earlier.clone(), later.clone()]).await;
    let both = endpoints(&cluster);
    assert_eq!(both.len(), 1);
    assert_eq!(both[0].instance().id(), later.id());
    assert!(!Arc::ptr_eq(before[0].load(), both[0].load()));
    assert!(!Arc::ptr_eq(before[0].health(), both[0].health()));
    assert!(
        before[0]
            .channel()
            .shares_connection_with(both[0].channel())
    );

    // What is left of the earlier one expires.
    publish(&published, &cluster, &[later]).await;
    let after = endpoints(&cluster);
    assert!(Arc::ptr_eq(both[0].load(), after[0].load()));
}
