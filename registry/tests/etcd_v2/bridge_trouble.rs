//! Registries in trouble on one side of a bridge.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doge_registry::{
    BoxFuture, Bridge, Instance, Memory, Publisher, Registration, Registry, RegistryError,
    ServiceKey, Snapshot, Watch,
};
use tokio::time::{Instant, timeout};

use crate::common::{instance, key, watch};

/// It refuses the first so many registrations, and closes its watches when it is told to.
#[derive(Debug)]
struct Troubled {
    inner: Memory,
    refusals: AtomicUsize,
    asked: AtomicUsize,
    watched: Mutex<Publisher>,
    watches: AtomicUsize,
}

impl Troubled {
    fn new(refusals: usize) -> Arc<Self> {
        Arc::new(Self {
            inner: Memory::new(),
            refusals: AtomicUsize::new(refusals),
            asked: AtomicUsize::new(0),
            watched: Mutex::new(Publisher::new(Snapshot::default())),
            watches: AtomicUsize::new(0),
        })
    }

    fn close(&self, next: Snapshot) {
        *self.watched.lock().unwrap() = Publisher::new(next);
    }
}

impl Registry for Troubled {
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let less = |left: usize| left.checked_sub(1);
            let refused = (self.refusals).fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            match refused {
                Ok(_) => Err(RegistryError::Other("not now".into())),
                Err(_) => self.inner.register(instance).await,
            }
        })
    }

    fn watch(&self, _: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        Box::pin(async move {
            self.watches.fetch_add(1, Ordering::Relaxed);
            Ok(self.watched.lock().unwrap().watch())
        })
    }
}

async fn between(one: &Arc<Troubled>, other: &Memory) -> Bridge {
    let one: Arc<dyn Registry> = Arc::clone(one) as Arc<dyn Registry>;
    let other: Arc<dyn Registry> = Arc::new(other.clone());
    let bridge = Bridge::between(&one, &other).service(key());
    bridge.start().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_now_is_tried_again_after_pauses_that_grow() {
    let (troubled, ours) = (Troubled::new(20), Memory::new());
    let _ours = ours.register(instance("tcp://a:1")).await.unwrap();
    let started = Instant::now();
    let _bridge = between(&troubled, &ours).await;
    let mut watch = watch(&troubled.inner).await;
    until_at_paused(&mut watch, &["tcp://a:1"]).await;
    assert_eq!(troubled.asked.load(Ordering::Relaxed), 21);
    // 5 s in the mean, once they are as long as they get.
    let took = started.elapsed();
    assert!(
        took > Duration::from_secs(20) && took < Duration::from_secs(200),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_is_refused_does_not_keep_the_others_back() {
    let (troubled, ours) = (Troubled::new(1), Memory::new());
    let mut held = Vec::new();
    for address in ["tcp://a:1", "tcp://b:1"] {
        held.push(ours.register(instance(address)).await.unwrap());
    }
    let _bridge = between(&troubled, &ours).await;
    let mut watch = watch(&troubled.inner).await;
    until_at_paused(&mut watch, &["tcp://a:1", "tcp://b:1"]).await;
    assert_eq!(troubled.asked.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_closed_is_opened_again_and_again_and_not_at_once() {
    let (troubled, ours) = (Troubled::new(0), Memory::new());
    let _bridge = between(&troubled, &ours).await;
    let mut found = watch(&ours).await;
    for port in 1..=10 {
        let address = format!("doge://a:{port}");
        let started = Instant::now();
        troubled.close(Snapshot::from_iter([instance(&address)]));
        until_at_paused(&mut found, &[&address]).await;
        assert!(started.elapsed() >= Duration::from_millis(50));
    }
    // One for each direction, each time.
    assert!(troubled.watches.load(Ordering::Relaxed) <= 2 * 11);
}

/// Each of them begins the pause before the next look anew, unless it is kept.
#[tokio::test(start_paused = true)]
async fn a_watch_is_opened_again_while_there_is_no_quiet_on_the_other_side() {
    let (troubled, ours) = (Troubled::new(0), Memory::new());
    let _bridge = between(&troubled, &ours).await;
    let mut found = watch(&troubled.inner).await;
    troubled.close(Snapshot::default());
    // One at the start, and then one for each direction.
    let opened = || troubled.watches.load(Ordering::Relaxed) == 3;
    for _ in 0..1000 {
        let registration = ours.register(instance("tcp://a:1")).await.unwrap();
        until_at_paused(&mut found, &["tcp://a:1"]).await;
        registration.leave().await.unwrap();
        until_at_paused(&mut found, &[]).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        if opened() {
            return;
        }
    }
    panic!("it is not opened again");
}

/// Waits for these addresses, on a clock that leaps to whatever comes next.
async fn until_at_paused(watch: &mut Watch, wanted: &[&str]) {
    let hour = Duration::from_secs(3600);
    timeout(hour, async {
        while crate::common::addresses(&watch.snapshot()) != wanted {
            watch.changed().await.unwrap();
        }
    })
    .await
    .unwrap();
}
