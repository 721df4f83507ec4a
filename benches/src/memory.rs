use std::fs;

use serde::{Deserialize, Serialize};

use crate::Error;

/// What memory a process has, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Resident now.
    pub resident: u64,
    /// The most that was resident at any time.
    pub peak: u64,
}

impl Memory {
    /// Of this process.
    ///
    /// # Errors
    ///
    /// Where the system has no `/proc`.
    pub fn read() -> Result<Self, Error> {
        let status = fs::read_to_string("/proc/self/status")?;
        Self::parse(&status).ok_or_else(|| "/proc/self/status has no memory".into())
    }

    fn parse(status: &str) -> Option<Self> {
        let kibibytes = |name| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let number: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
            Some(number * 1024)
        };
        Some(Self {
            resident: kibibytes("VmRSS:")?,
            peak: kibibytes("VmHWM:")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;

    #[test]
    fn memory_is_read_from_the_status_of_the_process() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t1\n";
        let (resident, peak) = (1024 * 1024, 2048 * 1024);
        assert_eq!(Memory::parse(status), Some(Memory { resident, peak }));
        assert_eq!(Memory::parse("Name:\tx\n"), None);
    }
}
