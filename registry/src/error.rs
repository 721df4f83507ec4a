use std::error::Error;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::ServiceKey;

/// Why a registry could not do what it was asked, where, and what mends it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// A part of the key, or an instance id, cannot be used as a name.
    #[error(
        "the {part} {value:?} cannot be used as a name in a registry; \
         use 1 to 128 characters of A-Z a-z 0-9 . _ - that do not start with a dot"
    )]
    InvalidName {
        /// Which part: `group`, `service`, `version` or `instance id`.
        part: &'static str,
        /// What was given.
        value: String,
    },

    /// This very instance, by its id, is registered already.
    #[error(
        "instance {id} of {key} is registered already; \
         make a new Instance for a second registration, or leave the first one before"
    )]
    AlreadyRegistered {
        /// The key of the instance.
        key: ServiceKey,
        /// The id of the instance.
        id: String,
    },

    /// The instance says more about itself than a registry takes.
    #[error(
        "instance {id} takes {size} bytes in the registry and {limit} are allowed; \
         give it fewer or shorter tags"
    )]
    TooLarge {
        /// The id of the instance.
        id: String,
        /// Its encoded size in bytes.
        size: usize,
        /// The largest size allowed, in bytes.
        limit: usize,
    },

    /// The registry has no way to keep this of an instance.
    #[error("this registry cannot hold an instance with the {part} {value:?}: {mend}")]
    CannotHold {
        /// Which part: `address`, `instance id`, `group or version`, `service`.
        part: &'static str,
        /// What was given.
        value: String,
        /// Why it cannot, and what to give instead.
        mend: &'static str,
    },

    /// The folder of a registry, or a file in it, could not be used.
    #[error("cannot {doing} {}: {cause}; {mend}", path.display())]
    Io {
        /// What was tried, as a verb: `write the entry`.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
        /// What to do about it.
        mend: &'static str,
    },

    /// One of [`Several`](crate::Several) registries failed, and so did what they do together.
    #[error("registry {position} of {count} failed: {cause}")]
    OneOf {
        /// Which one, from 1, in the order that they were given in.
        position: usize,
        /// How many there are.
        count: usize,
        /// What it says.
        cause: Box<Self>,
    },

    /// A setting of a registry cannot be used.
    #[error("the {setting} {value:?} cannot be used: {mend}")]
    InvalidSetting {
        /// Which setting: `endpoint`, `key prefix`.
        setting: &'static str,
        /// What was given.
        value: String,
        /// What to give instead.
        mend: &'static str,
    },

    /// The servers that hold the registry did not do what they were asked.
    #[error("cannot {doing} at {endpoints}: {cause}; {mend}")]
    Remote {
        /// What was tried, as a verb: `register the instance`.
        doing: &'static str,
        /// The servers, as configured.
        endpoints: String,
        /// What they said, or why they said nothing.
        cause: String,
        /// What to do about it.
        mend: &'static str,
    },

    /// There is no tokio runtime to run the background work on.
    #[error(
        "this registry needs a tokio runtime; call it from within one, with its time driver on"
    )]
    NoRuntime,

    /// The tokio runtime shut down in the middle of the work.
    #[error(
        "the tokio runtime shut down before the registry was done; use it while the runtime runs"
    )]
    Stopped,

    /// What a registry outside this crate reports.
    #[error(transparent)]
    Other(Box<dyn Error + Send + Sync>),
}

impl RegistryError {
    /// The failure of the registry at `index`, from 0, among so many.
    pub(crate) fn one_of(index: usize, count: usize, cause: Self) -> Self {
        Self::OneOf {
            position: index + 1,
            count,
            cause: Box::new(cause),
        }
    }
}
