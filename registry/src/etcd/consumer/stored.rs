use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use doge_base::Env;
use serde::{Deserialize, Serialize};

use crate::work::blocking;
use crate::{Instance, Origin, ServiceKey, Snapshot};

/// The only schema there is so far.
const SCHEMA: u32 = 1;

/// The last known instances of one service, on disk.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    folder: PathBuf,
    path: PathBuf,
    key: ServiceKey,
    env: Env,
}

impl Stored {
    /// Those of `key`, below `root`: nothing is read or written yet.
    pub(super) fn new(root: &Path, key: &ServiceKey, env: &Env) -> Self {
        let folder = root.join(key.group()).join(key.service());
        Self {
            path: folder.join(format!("{}.json", key.version())),
            folder,
            key: key.clone(),
            env: env.clone(),
        }
    }

    /// What was last kept, if it can be read.
    pub(super) async fn load(&self) -> Option<Snapshot> {
        let stored = self.clone();
        let read = blocking(move || stored.read()).await.ok()?;
        match read {
            Ok(snapshot) => Some(snapshot.restored()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                let path = self.path.display();
                tracing::warn!(%path, %error, "the snapshot on disk cannot be read and is passed over");
                None
            }
        }
    }

    /// Keeps the instances for the next start. No instances at all are not kept: the last ones are of more use then.
    pub(super) async fn save(&self, snapshot: &Snapshot) -> io::Result<()> {
        if snapshot.is_empty() {
            return Ok(());
        }
        let (stored, snapshot) = (self.clone(), snapshot.clone());
        blocking(move || stored.write(&snapshot))
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn read(&self) -> io::Result<Snapshot> {
        let kept: Kept = serde_json::from_slice(&fs::read(&self.path)?)?;
        if kept.schema != SCHEMA || kept.instances.iter().any(|one| *one.key() != self.key) {
            return Err(io::Error::other("it is that of another service or schema"));
        }
        // What is kept was said by whoever could write to etcd.
        let instances = kept.instances.into_iter();
        let shared = instances.map(|instance| instance.with_origin(Origin::SharedRegistry));
        Ok(shared.collect())
    }

    /// Written beside and moved, so that nobody ever reads a half of it.
    fn write(&self, snapshot: &Snapshot) -> io::Result<()> {
        let instances = snapshot.iter().map(|instance| (**instance).clone());
        let kept = Kept {
            schema: SCHEMA,
            instances: instances.collect(),
        };
        fs::create_dir_all(&self.folder)?;
        let temporary = self.folder.join(format!(".{}.tmp", self.env.uuid()));
        let written = fs::write(&temporary, serde_json::to_vec_pretty(&kept)?)
            .and_then(|()| fs::rename(&temporary, &self.path));
        if written.is_err() {
            // It may never have come into being.
            let _ = fs::remove_file(&temporary);
        }
        written
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    schema: u32,
    instances: Vec<Instance>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ServiceKey {
        ServiceKey::new("hr.employee")
    }

    #[tokio::test]
    async fn it_is_read_as_kept_and_marked() {
        let root = tempfile::tempdir().unwrap();
        let stored = Stored::new(root.path(), &key(), &Env::system());
        assert!(stored.load().await.is_none());
        let snapshot = Snapshot::from_iter([Instance::new(key(), "tcp://a:1")]);
        stored.save(&snapshot).await.unwrap();
        stored.save(&Snapshot::default()).await.unwrap();
        let loaded = stored.load().await.unwrap();
        // Which equality does not see: whoever could write to etcd said so.
        assert!(
            loaded
                .iter()
                .all(|it| it.origin() == Origin::SharedRegistry)
        );
        assert_eq!(loaded, snapshot.restored());
        let files = fs::read_dir(root.path().join("default/hr.employee")).unwrap();
        assert_eq!(files.count(), 1, "a temporary file is left");
    }

    #[tokio::test]
    async fn what_is_torn_or_of_another_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let stored = Stored::new(root.path(), &key(), &Env::system());
        let snapshot = Snapshot::from_iter([Instance::new(key(), "tcp://a:1")]);
        stored.save(&snapshot).await.unwrap();
        let whole = fs::read_to_string(stored.path()).unwrap();
        let newer = whole.replace("\"schema\": 1", "\"schema\": 2");
        let moved = whole.replace("hr.employee", "hr.leave");
        for text in [&whole[..whole.len() / 2], &newer, &moved, ""] {
            fs::write(stored.path(), text).unwrap();
            assert!(stored.load().await.is_none(), "{text}");
        }
    }
}
