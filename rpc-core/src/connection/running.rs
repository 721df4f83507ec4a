use std::collections::HashMap;

use tokio::time::Instant;

/// Calls that run on, with the handles that stop them, and when the first of them has to end.
#[derive(Debug)]
pub(crate) struct Running<T> {
    calls: HashMap<u64, (Instant, T)>,
    /// Not after the nearest deadline; it may be before, when that call is over.
    sweep: Option<Instant>,
}

impl<T> Default for Running<T> {
    fn default() -> Self {
        Self {
            calls: HashMap::new(),
            sweep: None,
        }
    }
}

impl<T> Running<T> {
    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(crate) fn enter(&mut self, call: u64, deadline: Instant, task: T) {
        self.calls.insert(call, (deadline, task));
        if self.sweep.is_none_or(|sweep| deadline < sweep) {
            self.sweep = Some(deadline);
        }
    }

    pub(crate) fn leave(&mut self, call: u64) -> Option<T> {
        self.calls.remove(&call).map(|(_, task)| task)
    }

    /// When [`take_overdue`](Self::take_overdue) has something to do.
    pub(crate) fn sweep(&self) -> Option<Instant> {
        self.sweep
    }

    /// Takes those out whose deadline has passed.
    pub(crate) fn take_overdue(&mut self, now: Instant) -> Vec<(u64, T)> {
        if self.sweep.is_none_or(|sweep| now < sweep) {
            return Vec::new();
        }
        let overdue = self.calls.extract_if(|_, (deadline, _)| *deadline <= now);
        let overdue = overdue.map(|(call, (_, task))| (call, task)).collect();
        self.sweep = self.calls.values().map(|(deadline, _)| *deadline).min();
        overdue
    }

    /// Takes all out.
    pub(crate) fn take(&mut self) -> Vec<T> {
        self.calls.drain().map(|(_, (_, task))| task).collect()
    }
}
