use std::fs::{self, FileTimes};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use doge_base::Env;

use super::entry::Entry;
use super::layout::{Layout, entry_name, temporary_name};
use crate::{Instance, RegistryError, ServiceKey};

/// The file of one instance, from announcement to withdrawal; all of it blocks on the file system.
///
/// The lock is held while the file is touched, so that no renewal under way can bring back a file
/// that was just withdrawn.
#[derive(Debug)]
pub(super) struct Presence {
    key: ServiceKey,
    id: String,
    folder: PathBuf,
    path: PathBuf,
    json: Vec<u8>,
    registration: String,
    env: Env,
    stage: Mutex<Stage>,
}

impl Presence {
    pub(super) fn new(
        layout: &Layout,
        instance: &Instance,
        ttl: Duration,
        env: &Env,
    ) -> Result<Self, RegistryError> {
        let folder = layout.folder(instance.key());
        let path = folder.join(entry_name(instance.id()));
        let registration = env.uuid().to_string();
        Ok(Self {
            key: instance.key().clone(),
            id: instance.id().to_owned(),
            json: Entry::new(instance.clone(), ttl, &registration).encode(&path)?,
            registration,
            env: env.clone(),
            folder,
            path,
            stage: Mutex::new(Stage::Unannounced),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the entry for the first time, unless it was withdrawn already.
    pub(super) fn announce(&self) -> Result<(), RegistryError> {
        let mut stage = self.lock();
        if *stage == Stage::Withdrawn {
            return Ok(());
        }
        if self.path.exists() {
            return Err(self.already_registered());
        }
        self.write()?;
        *stage = Stage::Announced;
        Ok(())
    }

    /// Renews the time of the entry, or writes it again if it was deleted or damaged. One that is another's by now is left
    /// alone.
    pub(super) fn renew(&self) -> Result<(), RegistryError> {
        let stage = self.lock();
        if *stage != Stage::Announced {
            return Ok(());
        }
        match Entry::read(&self.path, &self.key, &self.id) {
            Ok(entry) if entry.is_anothers(&self.registration) => Err(self.already_registered()),
            Ok(_) if touch(&self.path, self.env.date()).is_ok() => Ok(()),
            _ => self.write(),
        }
    }

    /// Removes the entry if this presence has written it, and no other after it; later calls do nothing.
    pub(super) fn withdraw(&self) -> Result<(), RegistryError> {
        let mut stage = self.lock();
        let before = std::mem::replace(&mut *stage, Stage::Withdrawn);
        if before != Stage::Announced {
            return Ok(());
        }
        let entry = Entry::read(&self.path, &self.key, &self.id);
        if entry.is_ok_and(|entry| entry.is_anothers(&self.registration)) {
            return Ok(());
        }
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(RegistryError::Io {
                doing: "remove the entry",
                path: self.path.clone(),
                cause: error,
                mend: "make its folder writable; until the entry expires the instance looks alive",
            }),
            _ => Ok(()),
        }
    }

    fn already_registered(&self) -> RegistryError {
        RegistryError::AlreadyRegistered {
            key: self.key.clone(),
            id: self.id.clone(),
        }
    }

    fn write(&self) -> Result<(), RegistryError> {
        fs::create_dir_all(&self.folder).map_err(|error| RegistryError::Io {
            doing: "create the folder",
            path: self.folder.clone(),
            cause: error,
            mend: "choose a registry folder that this process may write to",
        })?;
        let temporary = self.folder.join(temporary_name(&self.id, &self.env));
        fs::write(&temporary, &self.json)
            .and_then(|()| touch(&temporary, self.env.date()))
            .and_then(|()| fs::rename(&temporary, &self.path))
            .map_err(|error| self.failed_write(&temporary, error))
    }

    fn failed_write(&self, temporary: &Path, error: io::Error) -> RegistryError {
        // What cannot be removed now is removed by a scan once it is old.
        let _ = fs::remove_file(temporary);
        RegistryError::Io {
            doing: "write the entry",
            path: self.path.clone(),
            cause: error,
            mend: "make its folder writable and its disk have room",
        }
    }

    /// A poisoned lock is taken over: the stage is changed in single steps.
    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn touch(path: &Path, date: SystemTime) -> io::Result<()> {
    let file = fs::File::options().write(true).open(path)?;
    file.set_times(FileTimes::new().set_modified(date))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Unannounced,
    Announced,
    Withdrawn,
}
