//! Several registries as one, of which some do not work; on paused time, which goes on when all wait.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{instance, key, until};
use doge_registry::{
    BoxFuture, Instance, Leave, Memory, Publisher, Registration, Registry, RegistryError,
    ServiceKey, Several, Snapshot, Watch,
};
use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Works,
    Fails,
    Hangs,
    /// Takes everything, and cannot be left.
    Keeps,
}

/// A registry in memory that works when the test wants it to.
#[derive(Clone, Debug)]
struct Moody {
    memory: Memory,
    mood: Arc<watch::Sender<Mood>>,
}

impl Moody {
    fn new(mood: Mood) -> Self {
        Self {
            memory: Memory::new(),
            mood: Arc::new(watch::Sender::new(mood)),
        }
    }

    fn becomes(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    async fn len(&self) -> usize {
        self.memory.watch(key()).await.unwrap().snapshot().len()
    }

    async fn works(&self) -> Result<(), RegistryError> {
        let mut moods = self.mood.subscribe();
        let mood = *moods.wait_for(|mood| *mood != Mood::Hangs).await.unwrap();
        match mood {
            Mood::Fails => Err(RegistryError::Other("in a bad mood".into())),
            _ => Ok(()),
        }
    }
}

impl Registry for Moody {
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        Box::pin(async move {
            self.works().await?;
            let inner = self.memory.register(instance).await?;
            let instance = Arc::clone(inner.instance());
            let presence = MoodyPresence(self.clone(), inner);
            Ok(Registration::new(instance, presence))
        })
    }

    fn watch(&self, service: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        Box::pin(async move {
            self.works().await?;
            self.memory.watch(service).await
        })
    }
}

#[derive(Debug)]
struct MoodyPresence(Moody, Registration);

impl Leave for MoodyPresence {
    fn leave(self: Box<Self>) -> BoxFuture<'static, Result<(), RegistryError>> {
        let Self(registry, inner) = *self;
        Box::pin(async move {
            if *registry.mood.borrow() == Mood::Keeps {
                return Err(RegistryError::Other("it stays".into()));
            }
            inner.leave().await
        })
    }

    fn abandon(self: Box<Self>) {}
}

/// A registry of which each watch follows the latest publisher.
#[derive(Clone, Debug)]
struct Published(Arc<Mutex<Publisher>>);

impl Published {
    fn new(first: Snapshot) -> Self {
        Self(Arc::new(Mutex::new(Publisher::new(first))))
    }

    /// Closes the watches there are.
    fn starts_anew(&self, first: Snapshot) {
        *self.0.lock().unwrap() = Publisher::new(first);
    }
}

impl Registry for Published {
    fn register(&self, _: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        unreachable!("no test registers here")
    }

    fn watch(&self, _: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        Box::pin(async { Ok(self.0.lock().unwrap().watch()) })
    }
}

fn several<const N: usize>(members: [&Moody; N]) -> Several {
    Several::new(members.map(|member| Arc::new(member.clone()) as Arc<dyn Registry>))
}

#[tokio::test]
async fn registered_is_in_all_or_in_none() {
    let (works, fails) = (Moody::new(Mood::Works), Moody::new(Mood::Fails));
    let last = Moody::new(Mood::Works);
    let error = several([&works, &fails, &last])
        .register(instance("tcp://a:1"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "registry 2 of 3 failed: in a bad mood");
    assert_eq!((works.len().await, last.len().await), (0, 0));
}

#[tokio::test]
async fn one_that_cannot_be_left_holds_up_no_other() {
    let (first, keeps, last) = (
        Moody::new(Mood::Works),
        Moody::new(Mood::Keeps),
        Moody::new(Mood::Works),
    );
    let several = several([&first, &keeps, &last]);
    let registration = several.register(instance("tcp://a:1")).await.unwrap();
    let error = registration.leave().await.unwrap_err();
    assert_eq!(error.to_string(), "registry 2 of 3 failed: it stays");
    assert_eq!((first.len().await, last.len().await), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_watched_at_first_comes_later() {
    let (works, fails) = (Moody::new(Mood::Works), Moody::new(Mood::Fails));
    let _one = works.register(instance("tcp://a:1")).await.unwrap();
    let _two = fails.memory.register(instance("tcp://b:1")).await.unwrap();

    let mut watch = several([&fails, &works]).watch(key()).await.unwrap();
    assert_eq!(watch.snapshot().len(), 1);
    // However long it takes.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(watch.snapshot().len(), 1);

    fails.becomes(Mood::Works);
    let mended = Instant::now();
    until(&mut watch, |snapshot| snapshot.len() == 2).await;
    assert!(
        mended.elapsed() <= Duration::from_secs(6),
        "{:?}",
        mended.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_is_waited_for_a_second_and_comes_later() {
    let (works, hangs) = (Moody::new(Mood::Works), Moody::new(Mood::Hangs));
    let _one = works.register(instance("tcp://a:1")).await.unwrap();
    let _two = hangs.memory.register(instance("tcp://b:1")).await.unwrap();

    let start = Instant::now();
    let mut watch = several([&hangs, &works]).watch(key()).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    assert_eq!(watch.snapshot().len(), 1);

    hangs.becomes(Mood::Works);
    until(&mut watch, |snapshot| snapshot.len() == 2).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_slower_is_in_the_first_snapshot() {
    let (works, slow) = (Moody::new(Mood::Works), Moody::new(Mood::Hangs));
    let _one = slow.memory.register(instance("tcp://a:1")).await.unwrap();
    let several = several([&works, &slow]);
    let (watch, ()) = tokio::join!(several.watch(key()), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        slow.becomes(Mood::Works);
    });
    assert_eq!(watch.unwrap().snapshot().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn when_none_can_be_watched_the_first_says_why() {
    let members = [Moody::new(Mood::Fails), Moody::new(Mood::Fails)];
    let error = several([&members[0], &members[1]])
        .watch(key())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "registry 1 of 2 failed: in a bad mood");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_closed_keeps_what_it_had_and_is_begun_again() {
    let works = Moody::new(Mood::Works);
    let (before, after) = (instance("tcp://a:1"), instance("tcp://b:1"));
    let closes = Published::new(Snapshot::from_iter([before.clone()]));
    let several = Several::new([
        Arc::new(works.clone()) as Arc<dyn Registry>,
        Arc::new(closes.clone()),
    ]);
    let mut watch = several.watch(key()).await.unwrap();

    closes.starts_anew(Snapshot::from_iter([after.clone()]));
    let _held = works.register(instance("tcp://c:1")).await.unwrap();
    let both = until(&mut watch, |snapshot| snapshot.len() == 2).await;
    assert!(both.get(before.id()).is_some(), "it was forgotten");
    until(&mut watch, |snapshot| snapshot.get(after.id()).is_some()).await;
    assert!(watch.snapshot().get(before.id()).is_none());
}

#[tokio::test(start_paused = true)]
async fn members_are_watched_no_longer_than_the_whole() {
    let followed = Published::new(Snapshot::default());
    let hangs = Moody::new(Mood::Hangs);
    let several = Several::new([
        Arc::new(followed.clone()) as Arc<dyn Registry>,
        Arc::new(hangs.clone()),
    ]);
    let is_watched = || followed.0.lock().unwrap().is_watched();
    let watch = several.watch(key()).await.unwrap();
    let clone = watch.clone();
    drop(watch);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(is_watched());
    drop(clone);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!is_watched());
    assert_eq!(hangs.mood.receiver_count(), 0, "it is still tried");

    // Nor when nobody waits for the watch.
    assert!(several.watch(key()).now_or_never().is_none());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!is_watched());
    assert_eq!(hangs.mood.receiver_count(), 0, "it is still tried");
}
