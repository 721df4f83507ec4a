use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};

use crate::RegistryError;

/// How long the others are waited for once one has answered.
const PATIENCE: Duration = Duration::from_secs(1);

/// How the first try of one member went.
#[derive(Debug)]
pub(super) struct Opened {
    /// Its place among the members, from 0.
    pub(super) index: usize,
    pub(super) outcome: Result<(), RegistryError>,
}

/// The beginning of a watch: the members try for the first time.
#[derive(Debug)]
pub(super) struct Opening {
    members: usize,
    opened: UnboundedReceiver<Opened>,
}

impl Opening {
    /// The opening of so many members, each of which says once how it went.
    pub(super) fn of(members: usize) -> (Self, UnboundedSender<Opened>) {
        let (sender, opened) = unbounded_channel();
        (Self { members, opened }, sender)
    }

    /// Waits until all members have tried, or some have and one of these well, and patience is at an end.
    ///
    /// # Errors
    ///
    /// When none went well: what the first of the members says.
    pub(super) async fn finish(mut self) -> Result<(), RegistryError> {
        let mut failed: Vec<(usize, RegistryError)> = Vec::new();
        while let Some(Opened { index, outcome }) = self.opened.recv().await {
            match outcome {
                Ok(()) => {
                    // The members that have not answered go on by themselves.
                    let _ = timeout_at(Instant::now() + PATIENCE, self.rest()).await;
                    return Ok(());
                }
                Err(error) => failed.push((index, error)),
            }
        }
        let first = failed.into_iter().min_by_key(|(index, _)| *index);
        Err(match first {
            Some((index, error)) => RegistryError::one_of(index, self.members, error),
            None => RegistryError::Stopped,
        })
    }

    async fn rest(&mut self) {
        while self.opened.recv().await.is_some() {}
    }
}
