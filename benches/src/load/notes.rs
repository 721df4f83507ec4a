use std::{
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use super::{Latencies, nanos};
use crate::Error;

/// Latencies of one caller, told when it ends, be it in the middle of a call.
///
/// In a row of its own, since a histogram for each of a thousand callers would push everything else out of the caches.
#[derive(Debug)]
pub(super) struct Notes {
    nanos: Vec<u64>,
    all: Sender<Vec<u64>>,
}

/// Where notes are gathered.
#[derive(Debug)]
pub(super) struct Notebook {
    all: Sender<Vec<u64>>,
    told: Receiver<Vec<u64>>,
}

impl Notebook {
    pub(super) fn new() -> Self {
        let (all, told) = channel();
        Self { all, told }
    }

    /// The notes of one more caller.
    pub(super) fn notes(&self) -> Notes {
        Notes {
            nanos: Vec::new(),
            all: self.all.clone(),
        }
    }

    /// What callers noted, all of whom have ended.
    pub(super) fn latencies(self) -> Result<Latencies, Error> {
        drop(self.all);
        let mut latencies = Latencies::new(3)?;
        for nanos in self.told.into_iter().flatten() {
            latencies.record(nanos)?;
        }
        Ok(latencies)
    }
}

impl Notes {
    pub(super) fn add(&mut self, latency: Duration) {
        self.nanos.push(nanos(latency));
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        // Nobody wants them after an error.
        let _ = self.all.send(std::mem::take(&mut self.nanos));
    }
}
