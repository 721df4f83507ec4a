use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use doge_base::Env;

use super::entry::within_ttl_bounds;
use super::layout::Layout;
use crate::File;
use crate::sources::Sources;

const DEFAULT_TTL: Duration = Duration::from_secs(10);
const DEFAULT_SCAN_INTERVAL: Duration = Duration::from_millis(250);
const SHORTEST_SCAN_INTERVAL: Duration = Duration::from_millis(1);

/// Sets the times of a [`File`] registry.
///
/// ```
/// use std::time::Duration;
/// use doge_registry::File;
///
/// let registry = File::builder("/run/doge")
///     .ttl(Duration::from_secs(3))
///     .scan_interval(Duration::from_millis(100))
///     .build();
/// ```
#[must_use = "call build() to have the registry"]
#[derive(Clone, Debug)]
pub struct FileBuilder {
    folder: PathBuf,
    ttl: Duration,
    scan_interval: Duration,
    env: Env,
}

impl FileBuilder {
    /// Sets how long an instance registered here counts as alive without being renewed: 10 s unless
    /// set, kept between 100 ms and an hour.
    ///
    /// It is renewed every third of it. The entry says its own time to live, so processes with
    /// different settings get along.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = within_ttl_bounds(ttl);
        self
    }

    /// Sets the time between two readings of a watched folder: 250 ms unless set, at least 1 ms.
    pub fn scan_interval(mut self, interval: Duration) -> Self {
        self.scan_interval = interval.max(SHORTEST_SCAN_INTERVAL);
        self
    }

    /// Sets where the dates of entries and the names of temporary files come from: [`Env::system`] unless set. All
    /// processes that share a folder need the same date, so another one is for a folder of one process.
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// The registry; the folder is not touched yet.
    #[must_use]
    pub fn build(self) -> File {
        File {
            layout: Layout::new(self.folder),
            ttl: self.ttl,
            scan_interval: self.scan_interval,
            env: self.env,
            sources: Arc::new(Sources::default()),
        }
    }

    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            ttl: DEFAULT_TTL,
            scan_interval: DEFAULT_SCAN_INTERVAL,
            env: Env::system(),
        }
    }
}
