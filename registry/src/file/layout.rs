use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use doge_base::Env;

use crate::ServiceKey;
use crate::key::validate_name;

const ENTRY_SUFFIX: &str = ".json";
const TEMPORARY_SUFFIX: &str = ".tmp";

/// Which file is where below the folder of the registry.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    root: Arc<Path>,
}

impl Layout {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root: root.into() }
    }

    /// The folder of a service; the parts of a valid key cannot lead out of the root.
    pub(super) fn folder(&self, key: &ServiceKey) -> PathBuf {
        self.root
            .join(key.group())
            .join(key.service())
            .join(key.version())
    }
}

pub(super) fn entry_name(id: &str) -> String {
    format!("{id}{ENTRY_SUFFIX}")
}

/// A name in the same folder, so that the rename to the entry's name is a single step.
pub(super) fn temporary_name(id: &str, env: &Env) -> String {
    format!(".{id}.{}{TEMPORARY_SUFFIX}", env.uuid().simple())
}

/// What a file in the folder of a service is, going by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The entry of the instance with this id.
    Entry(String),
    /// An entry that is being written, or that a dead process left half written.
    Temporary,
    /// Not this registry's business, and hidden on purpose.
    Hidden,
    /// Not this registry's business.
    Foreign,
}

impl Kind {
    pub(super) fn of(name: &OsStr) -> Self {
        let Some(name) = name.to_str() else {
            return Self::Foreign;
        };
        if name.starts_with('.') {
            let temporary = name.ends_with(TEMPORARY_SUFFIX);
            return if temporary {
                Self::Temporary
            } else {
                Self::Hidden
            };
        }
        name.strip_suffix(ENTRY_SUFFIX)
            .filter(|id| validate_name("instance id", id).is_ok())
            .map_or(Self::Foreign, |id| Self::Entry(id.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_group_service_version() {
        let layout = Layout::new(PathBuf::from("/run/doge"));
        let key = ServiceKey::new("hr.employee")
            .with_group("g")
            .with_version("2");
        assert_eq!(layout.folder(&key), Path::new("/run/doge/g/hr.employee/2"));
    }

    #[test]
    fn names_tell_entries_from_the_rest() {
        assert_eq!(
            Kind::of(entry_name("abc").as_ref()),
            Kind::Entry("abc".to_owned())
        );
        assert_eq!(
            Kind::of(temporary_name("abc", &Env::system()).as_ref()),
            Kind::Temporary
        );
        assert_eq!(Kind::of(".gitkeep".as_ref()), Kind::Hidden);
        assert_eq!(Kind::of("README.md".as_ref()), Kind::Foreign);
        assert_eq!(Kind::of("a b.json".as_ref()), Kind::Foreign);
    }
}
