use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that a process has open besides its connections.
const OTHERS: u64 = 256;

/// Raises the limit of open files as far as the process may, and returns how many connections it can have.
pub(crate) fn allow_many() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Where that is refused, the limit stays what it was.
    let _ = setrlimit(Resource::Nofile, raised);
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    files.saturating_sub(OTHERS) as usize
}
