//! Statuses inside values: how a status inside an error enum is found while the enum is written, and how a status learns,
//! while an enum is read, which call it came back from. Nothing is asked of the enum.

use std::cell::RefCell;

use super::Status;
use crate::call::Route;

thread_local! {
    /// `None` while nobody captures.
    static SEEN: RefCell<Option<Vec<Status>>> = const { RefCell::new(None) };

    /// The method whose answer is being read.
    static FROM: RefCell<Option<Route>> = const { RefCell::new(None) };
}

/// Runs a function that writes a value, and returns the status in the value if there is no other.
pub(crate) fn capture<R>(write: impl FnOnce() -> R) -> (R, Option<Status>) {
    let outer = SEEN.replace(Some(Vec::new()));
    let restore = Restore(outer);
    let written = write();
    let seen = SEEN.take();
    drop(restore);
    let status = seen.and_then(|mut seen| (seen.len() == 1).then(|| seen.remove(0)));
    (written, status)
}

/// Runs a function that reads a value, in which each status has come back from a call of this method.
pub(crate) fn receive<R>(route: &Route, read: impl FnOnce() -> R) -> R {
    let outer = FROM.replace(Some(route.clone()));
    let _restore = RestoreFrom(outer);
    read()
}

/// A status was read.
pub(super) fn received(status: Status) -> Status {
    FROM.with_borrow(|from| match from {
        Some(from) => status.received_from(from),
        None => status,
    })
}

/// A status is being written.
pub(super) fn saw(status: &Status) {
    SEEN.with_borrow_mut(|seen| {
        // A value may be written twice, once as arrays and once as maps. A second status that is another says that there is
        // more than one, and the others say no more.
        let Some(seen) = seen else { return };
        if seen.len() < 2 && seen.last() != Some(status) {
            seen.push(status.clone());
        }
    });
}

struct RestoreFrom(Option<Route>);

impl Drop for RestoreFrom {
    fn drop(&mut self) {
        FROM.set(self.0.take());
    }
}

struct Restore(Option<Vec<Status>>);

impl Drop for Restore {
    fn drop(&mut self) {
        SEEN.set(self.0.take());
    }
}
