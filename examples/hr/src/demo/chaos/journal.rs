use std::{cell::RefCell, fmt::Display, io, time::Instant};

use super::schedule::Blow;
use crate::cli::Console;

/// Says what happens while it does, and remembers what was done to whom.
pub(super) struct Journal<'a> {
    began: Instant,
    console: RefCell<&'a mut Console>,
    deeds: RefCell<Vec<Deed>>,
}

/// What was done to a replica.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub(super) service: &'static str,
    pub(super) replica: String,
    pub(super) blow: Blow,
    /// Of [`Blow::Withhold`]: who called the replica in that time.
    pub(super) withheld: Option<Withheld>,
}

/// The calls to a service while one of its replicas had no database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Withheld {
    /// Calls of one client.
    pub(super) calls: u64,
    /// Calls of all clients that reached the replica, where they failed.
    pub(super) reached: u64,
}

impl<'a> Journal<'a> {
    pub(super) fn new(console: &'a mut Console) -> Self {
        Self {
            began: Instant::now(),
            console: RefCell::new(console),
            deeds: RefCell::default(),
        }
    }

    pub(super) fn write(&self, text: impl Display) -> io::Result<()> {
        let time = self.began.elapsed().as_secs_f64();
        let mut console = self.console.borrow_mut();
        console.line(format_args!("{time:5.1} s  {text}"))
    }

    /// Says the last word, which is longer.
    pub(super) fn conclude(&self, text: impl Display) -> io::Result<()> {
        self.console.borrow_mut().line(format_args!("\n{text}"))
    }

    pub(super) fn note(&self, deed: Deed) {
        self.deeds.borrow_mut().push(deed);
    }

    /// All that was done.
    pub(super) fn deeds(&self) -> Vec<Deed> {
        self.deeds.borrow().clone()
    }
}
