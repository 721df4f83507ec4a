use std::sync::atomic::{AtomicUsize, Ordering};

use doge_rpc_core::Status;

/// The most callers that wait for room on the connections to one address, as Linkerd's queue has it.
const MAX_WAITING: usize = 10_000;

/// Counts a caller that waits.
pub(super) struct Waiting<'a> {
    count: &'a AtomicUsize,
    /// How many there were before.
    pub(super) before: usize,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(count: &'a AtomicUsize) -> Result<Self, Status> {
        let before = count.fetch_add(1, Ordering::Relaxed);
        let counted = Self { count, before };
        if before >= MAX_WAITING {
            let why = format!("{MAX_WAITING} calls wait for room on the connection already");
            return Err(Status::resource_exhausted(why).not_sent());
        }
        Ok(counted)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use doge_rpc_core::Code;

    use super::{MAX_WAITING, Waiting};

    #[test]
    fn so_many_wait_and_no_more() {
        let count = AtomicUsize::new(0);
        let mut waiting: Vec<_> = (0..MAX_WAITING)
            .map(|_| Waiting::new(&count).unwrap())
            .collect();
        let refused = Waiting::new(&count).map(|_| ()).unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(refused.never_ran());
        waiting.pop();
        assert_eq!(Waiting::new(&count).unwrap().before, MAX_WAITING - 1);
    }
}
