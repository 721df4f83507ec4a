use doge_base::Env;
use std::fs::{self, FileTimes};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::file::layout::Layout;
use crate::file::presence::Presence;
use crate::file::scanner::Scanner;
use crate::file::sighting::Moment;
use crate::{Instance, ServiceKey};

pub(super) const TTL: Duration = Duration::from_secs(10);
pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// A folder with one entry in it, and a scanner of it.
pub(super) struct Setting {
    pub(super) root: TempDir,
    pub(super) instance: Instance,
    pub(super) presence: Presence,
    pub(super) scanner: Scanner,
}

impl Setting {
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::new(root.path().to_owned());
        let instance = Instance::new(ServiceKey::new("hr.employee"), "tcp://a:1");
        let presence = Presence::new(&layout, &instance, TTL, &Env::system()).unwrap();
        presence.announce().unwrap();
        let scanner = Scanner::new(&layout, instance.key().clone());
        Self {
            root,
            instance,
            presence,
            scanner,
        }
    }

    pub(super) fn alive(&mut self, now: Moment) -> usize {
        self.scanner.scan(now).unwrap().len()
    }

    pub(super) fn stamp(&self, modified: SystemTime) {
        let file = fs::File::options()
            .write(true)
            .open(self.presence.path())
            .unwrap();
        file.set_times(FileTimes::new().set_modified(modified))
            .unwrap();
    }

    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.presence.path().with_file_name(name)
    }
}

pub(super) fn later(now: Moment, by: Duration) -> Moment {
    Moment {
        wall: now.wall + by,
        steady: now.steady + by,
    }
}
