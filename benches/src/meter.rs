use std::{ops::Sub, time::Duration};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Reads what this process has used so far.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    allocated: fn() -> Allocated,
}

/// What a process has used since it started, or between two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Processor time of all threads, in user space and in the kernel.
    pub cpu: Duration,
    /// What was allocated.
    pub allocated: Allocated,
}

/// What was allocated, no matter whether it was freed since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocated {
    /// Allocations and reallocations.
    pub times: u64,
    /// Bytes of all of them.
    pub bytes: u64,
}

impl Meter {
    /// Counts no allocations, and so does not slow them down.
    pub fn without_allocations() -> Self {
        Self {
            allocated: Allocated::default,
        }
    }

    /// Takes the count of allocations from the allocator of the process.
    pub fn with_allocations(allocated: fn() -> Allocated) -> Self {
        Self { allocated }
    }

    /// What the process has used since it started.
    pub fn read(&self) -> Usage {
        let now = clock_gettime(ClockId::ProcessCPUTime);
        let cpu = Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32);
        Usage {
            cpu,
            allocated: (self.allocated)(),
        }
    }
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        let allocated = Allocated {
            times: self.allocated.times - earlier.allocated.times,
            bytes: self.allocated.bytes - earlier.allocated.bytes,
        };
        Self {
            cpu: self.cpu - earlier.cpu,
            allocated,
        }
    }
}
