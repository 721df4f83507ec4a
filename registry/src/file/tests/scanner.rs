use doge_base::Env;
use std::fs;

use super::setting::{HOUR, Setting, TTL, later};
use crate::file::sighting::Moment;
use crate::warnings::warnings_of;

#[test]
fn what_is_not_an_entry_is_ignored_and_never_removed() {
    let mut setting = Setting::new();
    let torn = setting.beside("torn.json");
    let json = fs::read(setting.presence.path()).unwrap();
    fs::write(&torn, &json[..json.len() / 2]).unwrap();
    let misplaced = setting.beside("misplaced.json");
    fs::write(&misplaced, &json).unwrap();
    fs::write(setting.beside("README.md"), "hello").unwrap();
    fs::write(setting.beside(".gitkeep"), "").unwrap();
    fs::create_dir(setting.beside("folder.json")).unwrap();
    let link = setting.beside("link.json");
    std::os::unix::fs::symlink(setting.presence.path(), &link).unwrap();

    let now = Moment::now(&Env::system());
    assert_eq!(setting.alive(now), 1);
    assert_eq!(setting.alive(later(now, HOUR)), 0);
    for name in [
        "torn.json",
        "misplaced.json",
        "README.md",
        ".gitkeep",
        "folder.json",
    ] {
        assert!(setting.beside(name).exists(), "{name} was removed");
    }
    assert!(link.is_symlink());
}

#[test]
fn an_ignored_file_is_logged_once_per_change() {
    let mut setting = Setting::new();
    let torn = setting.beside("torn.json");
    let now = Moment::now(&Env::system());
    fs::write(&torn, "{").unwrap();
    let scans = |setting: &mut Setting| {
        warnings_of(|| {
            for _ in 0..3 {
                setting.alive(now);
            }
        })
    };
    assert_eq!(scans(&mut setting), 1);
    fs::write(&torn, "{{").unwrap();
    assert_eq!(scans(&mut setting), 1);
    assert_eq!(scans(&mut setting), 0);
}

#[test]
fn a_damaged_entry_keeps_its_last_good_content_until_that_is_old() {
    let mut setting = Setting::new();
    let now = Moment::now(&Env::system());
    assert_eq!(setting.alive(now), 1);
    fs::write(setting.presence.path(), "{").unwrap();
    assert_eq!(setting.alive(now), 1);
    assert_eq!(setting.alive(later(now, TTL * 2)), 0);
}

#[test]
fn a_half_written_file_of_a_dead_process_is_removed() {
    let mut setting = Setting::new();
    let temporary = setting.beside(".abc.123.tmp");
    fs::write(&temporary, "{").unwrap();
    let now = Moment::now(&Env::system());
    assert_eq!(setting.alive(now), 1);
    assert!(temporary.exists());
    setting.alive(later(now, HOUR));
    assert!(!temporary.exists());
}

#[test]
fn an_edited_entry_is_read_again() {
    let mut setting = Setting::new();
    setting.alive(Moment::now(&Env::system()));
    let entry = fs::read_to_string(setting.presence.path()).unwrap();
    // Not every 100: the random id may have one, too.
    let edited = entry.replace("\"weight\": 100", "\"weight\": 7");
    assert_ne!(entry, edited);
    fs::write(setting.presence.path(), edited).unwrap();
    let snapshot = setting.scanner.scan(Moment::now(&Env::system())).unwrap();
    let weight = snapshot
        .get(setting.instance.id())
        .map(|instance| instance.weight());
    assert_eq!(weight, Some(7));
}

#[test]
fn a_missing_folder_is_empty() {
    let mut setting = Setting::new();
    assert_eq!(setting.alive(Moment::now(&Env::system())), 1);
    fs::remove_dir_all(setting.root.path().join("default")).unwrap();
    assert_eq!(setting.alive(Moment::now(&Env::system())), 0);
}
