use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use doge_rpc::prelude::*;

/// Prints payslips.
#[service(name = "hr.printer")]
pub(crate) trait Printer {
    /// Takes so long, and says which printer did it.
    #[rpc(idempotent)]
    async fn print(&self, millis: u64) -> Result<String, Status>;
}

/// A printer that counts how much it does at once.
#[derive(Clone)]
pub(crate) struct Tray(Arc<Counts>);

struct Counts {
    name: &'static str,
    running: AtomicUsize,
    most: AtomicUsize,
}

impl Tray {
    pub(crate) fn new(name: &'static str) -> Self {
        Self(Arc::new(Counts {
            name,
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        }))
    }

    /// The most payslips at once since this was last asked.
    pub(crate) fn take_most(&self) -> usize {
        self.0.most.swap(0, Ordering::SeqCst)
    }
}

impl Printer for Tray {
    async fn print(&self, millis: u64) -> Result<String, Status> {
        let _running = Running::new(&self.0);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        Ok(self.0.name.to_owned())
    }
}

/// A payslip being printed, until it is done or given up.
struct Running<'a>(&'a Counts);

impl<'a> Running<'a> {
    fn new(counts: &'a Counts) -> Self {
        let before = counts.running.fetch_add(1, Ordering::SeqCst);
        counts.most.fetch_max(before + 1, Ordering::SeqCst);
        Self(counts)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}
