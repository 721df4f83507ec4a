use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use doge_base::Env;
use futures_util::future::BoxFuture;
use tokio::runtime::Builder;

use super::Several;
use crate::warnings::warnings_of;
use crate::{
    Instance, Publisher, Registration, Registry, RegistryError, ServiceKey, Snapshot, Watch,
};

/// A registry whose watches close by themselves when they are so old.
#[derive(Debug)]
struct Closing {
    after: Duration,
    opened: AtomicU32,
}

impl Registry for Closing {
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        unreachable!("no test registers {instance:?} here")
    }

    fn watch(&self, _: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        let publisher = Publisher::new(Snapshot::default());
        let watch = publisher.watch();
        let after = self.after;
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            drop(publisher);
        });
        Box::pin(async { Ok(watch) })
    }
}

/// How often a registry of which each watch closes after so long is watched in ten minutes, and the warnings then.
fn ten_minutes(after: Duration) -> (u32, usize) {
    let opened = AtomicU32::new(0);
    let closing = Arc::new(Closing { after, opened });
    let registry: Arc<dyn Registry> = closing.clone();
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    let warnings = warnings_of(|| {
        runtime.block_on(async {
            let several = Several::new([registry]).env(Env::seeded(1));
            let _watch = several.watch(ServiceKey::new("hr.employee")).await.unwrap();
            tokio::time::sleep(Duration::from_secs(600)).await;
        });
    });
    (closing.opened.load(Ordering::Relaxed), warnings)
}

#[test]
fn watches_that_open_and_close_at_once_are_one_trouble_and_wait_longer_each_time() {
    let (opened, warnings) = ten_minutes(Duration::ZERO);
    // 2.5 s in the mean.
    assert!((150..400).contains(&opened), "{opened}");
    assert_eq!(warnings, 1);
}

#[test]
fn a_watch_that_lived_a_while_puts_an_end_to_the_trouble() {
    let (opened, warnings) = ten_minutes(Duration::from_secs(6));
    // Pauses are of the shortest each time: 0.1 s in the mean.
    assert!((97..=100).contains(&opened), "{opened}");
    assert_eq!(warnings, usize::try_from(opened).unwrap() - 1);
}
