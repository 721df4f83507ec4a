use doge_base::Env;
use std::fs::{self, FileTimes};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::file::layout::Layout;
use crate::file::presence::Presence;
use crate::{Instance, ServiceKey};

fn presence(root: &Path) -> Presence {
    let instance = Instance::new(ServiceKey::new("hr.employee"), "tcp://a:1");
    presence_of(&instance, root)
}

fn presence_of(instance: &Instance, root: &Path) -> Presence {
    Presence::new(
        &Layout::new(root.to_owned()),
        instance,
        Duration::from_secs(10),
        &Env::system(),
    )
    .unwrap()
}

fn modified(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn a_renewal_moves_the_time_and_keeps_edits() {
    let root = tempfile::tempdir().unwrap();
    let presence = presence(root.path());
    presence.announce().unwrap();
    let edited = fs::read_to_string(presence.path())
        .unwrap()
        .replace("\"weight\": 100", "\"weight\": 7");
    fs::write(presence.path(), &edited).unwrap();
    let old = SystemTime::now() - Duration::from_secs(100);
    let file = fs::File::options()
        .write(true)
        .open(presence.path())
        .unwrap();
    file.set_times(FileTimes::new().set_modified(old)).unwrap();

    presence.renew().unwrap();
    assert!(modified(presence.path()) > old + Duration::from_secs(50));
    assert_eq!(fs::read_to_string(presence.path()).unwrap(), edited);
}

#[test]
fn a_renewal_brings_back_what_was_deleted_or_damaged() {
    let root = tempfile::tempdir().unwrap();
    let presence = presence(root.path());
    presence.announce().unwrap();
    let written = fs::read(presence.path()).unwrap();

    fs::remove_dir_all(root.path().join("default")).unwrap();
    presence.renew().unwrap();
    assert_eq!(fs::read(presence.path()).unwrap(), written);

    fs::write(presence.path(), &written[..10]).unwrap();
    presence.renew().unwrap();
    assert_eq!(fs::read(presence.path()).unwrap(), written);
}

#[test]
fn nothing_brings_back_what_was_withdrawn() {
    let root = tempfile::tempdir().unwrap();
    let presence = presence(root.path());
    presence.announce().unwrap();
    presence.withdraw().unwrap();
    presence.withdraw().unwrap();
    presence.renew().unwrap();
    presence.announce().unwrap();
    assert!(!presence.path().exists());
}

#[test]
fn no_temporary_file_stays_behind() {
    let root = tempfile::tempdir().unwrap();
    let presence = presence(root.path());
    presence.announce().unwrap();
    assert_eq!(
        fs::read_dir(presence.path().parent().unwrap())
            .unwrap()
            .count(),
        1
    );
}

/// As after a pause of the process, in which its file was removed.
#[test]
fn an_earlier_registration_leaves_the_file_of_a_later_one_alone() {
    let root = tempfile::tempdir().unwrap();
    let instance = Instance::new(ServiceKey::new("hr.employee"), "tcp://a:1");
    let (earlier, later) = (
        presence_of(&instance, root.path()),
        presence_of(&instance, root.path()),
    );
    earlier.announce().unwrap();
    fs::remove_file(earlier.path()).unwrap();
    later.announce().unwrap();
    let written = fs::read(later.path()).unwrap();
    assert!(earlier.renew().is_err());
    earlier.withdraw().unwrap();
    assert_eq!(fs::read(later.path()).unwrap(), written);
    later.renew().unwrap();
    later.withdraw().unwrap();
    assert!(!later.path().exists());
}

#[test]
fn a_file_made_by_hand_is_kept_and_removed_like_an_own_one() {
    let root = tempfile::tempdir().unwrap();
    let presence = presence(root.path());
    presence.announce().unwrap();
    let mut value: serde_json::Value =
        serde_json::from_slice(&fs::read(presence.path()).unwrap()).unwrap();
    value
        .as_object_mut()
        .unwrap()
        .remove("registration")
        .unwrap();
    fs::write(presence.path(), value.to_string()).unwrap();
    presence.renew().unwrap();
    assert_eq!(
        fs::read_to_string(presence.path()).unwrap(),
        value.to_string()
    );
    presence.withdraw().unwrap();
    assert!(!presence.path().exists());
}
