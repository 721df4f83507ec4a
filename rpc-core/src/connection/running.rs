use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

/// Calls that run on, with the handles that stop them, and when the first of them has to end.
#[derive(Debug)]
pub struct Running<T> {
    calls: HashMap<u64, Call<T>>,
    /// Calls whose answer is still wanted.
    wanted: usize,
    /// Not after the nearest moment at which a call is overdue; it may be before, when that call is over.
    sweep: Option<Instant>,
}

#[derive(Debug)]
struct Call<T> {
    task: T,
    overdue_at: Instant,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Until its deadline.
    Runs,
    /// It was told that its deadline has passed, and is about to answer so.
    Late,
    /// It was told that its caller gave it up; its answer goes nowhere.
    Cancelled,
}

/// A call that has to end now.
#[derive(Debug)]
pub struct Overdue<T> {
    /// The call.
    pub call: u64,
    /// The handle that stops it.
    pub task: T,
    /// The call was told to end before, and has not.
    pub was_told: bool,
}

/// How long a call that was told to end may take to do so before it is aborted: as long as it takes to run a task on a busy
/// machine, and no work of its own.
pub const TIME_TO_STOP: Duration = Duration::from_millis(10);

impl<T> Default for Running<T> {
    fn default() -> Self {
        Self {
            calls: HashMap::new(),
            wanted: 0,
            sweep: None,
        }
    }
}

impl<T> Running<T> {
    /// The number of calls whose answer is wanted.
    pub(crate) fn len(&self) -> usize {
        self.wanted
    }

    /// Whether no call runs, be its answer wanted or not.
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(crate) fn insert(&mut self, call: u64, deadline: Instant, task: T) {
        let call_before = self.calls.insert(
            call,
            Call {
                task,
                overdue_at: deadline,
                stage: Stage::Runs,
            },
        );
        debug_assert!(call_before.is_none(), "a call runs once");
        self.wanted += 1;
        self.sweep_at(deadline);
    }

    /// Takes a call out that has ended, and tells whether its answer is wanted. `None` when the call was taken out before.
    pub(crate) fn remove(&mut self, call: u64) -> Option<(T, bool)> {
        let call = self.calls.remove(&call)?;
        let wanted = call.stage != Stage::Cancelled;
        self.wanted -= usize::from(wanted);
        Some((call.task, wanted))
    }

    /// When [`overdue`](Self::overdue) has something to look for.
    pub(crate) fn sweep(&self) -> Option<Instant> {
        self.sweep
    }

    /// Takes all out, in the order of their ids.
    pub(crate) fn take(&mut self) -> Vec<T> {
        self.wanted = 0;
        let mut calls: Vec<_> = self.calls.drain().collect();
        calls.sort_unstable_by_key(|(id, _)| *id);
        calls.into_iter().map(|(_, call)| call.task).collect()
    }

    fn sweep_at(&mut self, moment: Instant) {
        if self.sweep.is_none_or(|sweep| moment < sweep) {
            self.sweep = Some(moment);
        }
    }
}

impl<T: Clone> Running<T> {
    /// Notes that nobody wants the answer of a call any more, and returns the handle that stops it.
    pub(crate) fn cancel(&mut self, call: u64, now: Instant) -> Option<T> {
        let call = self.calls.get_mut(&call)?;
        if call.stage == Stage::Cancelled {
            return None;
        }
        call.stage = Stage::Cancelled;
        call.overdue_at = now + TIME_TO_STOP;
        self.wanted -= 1;
        let task = call.task.clone();
        self.sweep_at(now + TIME_TO_STOP);
        Some(task)
    }

    /// The handles of all calls, in the order of their ids.
    pub(crate) fn tasks(&self) -> Vec<T> {
        let mut calls: Vec<_> = self.calls.iter().collect();
        calls.sort_unstable_by_key(|(id, _)| **id);
        calls
            .into_iter()
            .map(|(_, call)| call.task.clone())
            .collect()
    }

    /// The calls that have to end now: those whose deadline has passed, and once more those that were told and have not
    /// ended in time; in the order of their ids.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<Overdue<T>> {
        let mut overdue = Vec::new();
        if self.sweep.is_none_or(|sweep| now < sweep) {
            return overdue;
        }
        for (&id, call) in &mut self.calls {
            if call.overdue_at > now {
                continue;
            }
            let was_told = call.stage != Stage::Runs;
            if !was_told {
                call.stage = Stage::Late;
            }
            call.overdue_at = now + TIME_TO_STOP;
            overdue.push(Overdue {
                call: id,
                task: call.task.clone(),
                was_told,
            });
        }
        self.sweep = self.calls.values().map(|call| call.overdue_at).min();
        overdue.sort_unstable_by_key(|late| late.call);
        overdue
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Running, TIME_TO_STOP};

    #[test]
    fn a_late_call_is_told_and_then_named_again() {
        let start = Instant::now();
        let deadline = start + Duration::from_secs(1);
        let mut running = Running::default();
        running.insert(1, deadline, "a");
        running.insert(2, deadline + Duration::from_secs(1), "b");
        assert!(running.overdue(start).is_empty());
        let told = running.overdue(deadline);
        assert_eq!(told.len(), 1);
        assert_eq!(
            (told[0].call, told[0].task, told[0].was_told),
            (1, "a", false)
        );
        assert_eq!(running.sweep(), Some(deadline + TIME_TO_STOP));
        let again = running.overdue(deadline + TIME_TO_STOP);
        assert_eq!((again.len(), again[0].was_told), (1, true));
        assert_eq!(running.remove(1), Some(("a", true)), "its answer is wanted");
        assert_eq!(running.remove(1), None);
        assert_eq!(running.len(), 1);
    }

    #[test]
    fn a_cancelled_call_takes_no_place_and_is_named_if_it_does_not_end() {
        let start = Instant::now();
        let mut running = Running::default();
        running.insert(1, start + Duration::from_secs(60), "a");
        assert_eq!(running.cancel(1, start), Some("a"));
        assert_eq!(running.cancel(1, start), None);
        assert_eq!((running.len(), running.is_empty()), (0, false));
        let overdue = running.overdue(start + TIME_TO_STOP);
        assert!(overdue[0].was_told);
        assert_eq!(running.remove(1), Some(("a", false)), "nobody wants it");
        assert!(running.is_empty());
    }
}
