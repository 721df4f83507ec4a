use doge_base::Env;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{interval, timeout};

use crate::file::follower::Follower;
use crate::file::layout::Layout;
use crate::file::presence::Presence;
use crate::file::scanner::Scanner;
use crate::file::sighting::Moment;
use crate::sources::Sources;
use crate::warnings::warnings_of;
use crate::{Instance, ServiceKey, Watch};

const LIMIT: Duration = Duration::from_secs(10);
const PERIOD: Duration = Duration::from_millis(5);

fn key() -> ServiceKey {
    ServiceKey::new("hr.employee")
}

#[test]
fn when_the_folder_cannot_be_read_the_last_snapshot_stays() {
    let root = tempfile::tempdir().unwrap();
    let layout = Layout::new(root.path().to_owned());
    let instance = Instance::new(key(), "tcp://a:1");
    let presence =
        Presence::new(&layout, &instance, Duration::from_secs(10), &Env::system()).unwrap();
    presence.announce().unwrap();
    let mut follower = Follower::first_scan(Scanner::new(&layout, key()), Env::system()).unwrap();
    let watch = follower.publisher().watch();
    let before = watch.snapshot();
    assert_eq!(before.len(), 1);

    let group = root.path().join("default");
    fs::remove_dir_all(&group).unwrap();
    fs::write(&group, "a file where a folder should be").unwrap();
    let warnings = warnings_of(|| {
        for _ in 0..3 {
            follower.scan(Moment::now(&Env::system()));
        }
    });
    assert_eq!(warnings, 1);
    assert_eq!(watch.snapshot(), before);

    fs::remove_file(&group).unwrap();
    follower.scan(Moment::now(&Env::system()));
    assert!(watch.snapshot().is_empty());
}

#[tokio::test]
async fn the_work_ends_with_the_last_watch() {
    let root = tempfile::tempdir().unwrap();
    let layout = Layout::new(root.path().to_owned());
    let follower = Follower::start(Scanner::new(&layout, key()), Env::system())
        .await
        .unwrap();
    let first = follower.publisher().watch();
    let mut second = first.clone();
    let sources = Arc::new(Sources::default());
    let work = tokio::spawn(follower.follow(Arc::clone(&sources), key(), interval(PERIOD)));

    drop(first);
    let instance = Instance::new(key(), "tcp://a:1");
    let presence =
        Presence::new(&layout, &instance, Duration::from_secs(10), &Env::system()).unwrap();
    presence.announce().unwrap();
    assert_eq!(
        timeout(LIMIT, second.changed())
            .await
            .unwrap()
            .unwrap()
            .len(),
        1
    );

    drop(second);
    timeout(LIMIT, work).await.unwrap().unwrap();
}

#[tokio::test]
async fn watches_of_one_key_share_one_follower() {
    let root = tempfile::tempdir().unwrap();
    let layout = Layout::new(root.path().to_owned());
    let start = || Follower::start(Scanner::new(&layout, key()), Env::system());
    let sources = Arc::new(Sources::default());
    assert!(sources.join(&key()).is_none());

    let follower = start().await.unwrap();
    let publisher = Arc::downgrade(follower.publisher());
    let first = join_or_follow(&sources, follower);
    let late = start().await.unwrap();
    let unused = Arc::downgrade(late.publisher());
    let second = join_or_follow(&sources, late);
    assert!(unused.upgrade().is_none(), "a second follower is at work");
    assert!(publisher.upgrade().is_some());
    assert!(sources.join(&key()).is_some());
    assert!(sources.join(&key().with_version("2")).is_none());
    drop((first, second));
}

fn join_or_follow(sources: &Arc<Sources>, follower: Follower) -> Watch {
    let publisher = Arc::clone(follower.publisher());
    sources.join_or_start(&key(), &publisher, || {
        follower.spawn(sources, &key(), PERIOD);
    })
}
