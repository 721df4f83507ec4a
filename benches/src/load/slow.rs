use std::time::Duration;

use tokio::task::JoinSet;

use crate::{Contender, Error};

/// Beside how many calls there is a slow one.
const ONE_IN: u32 = 100;

/// Slow calls of one caller. It does not wait for them, so that it can be seen whether they slow the others, without
/// which it would only be seen that they are slow themselves.
#[derive(Debug)]
pub(super) struct Slow {
    calls: u32,
    running: JoinSet<Result<(), Error>>,
}

/// Callers that start at once do not have their slow calls at once.
impl Default for Slow {
    fn default() -> Self {
        Self {
            calls: fastrand::u32(..ONE_IN),
            running: JoinSet::new(),
        }
    }
}

impl Slow {
    /// Counts a call, and if it is the one, starts a slow one beside it. Fails when an earlier one has failed.
    pub(super) fn beside_one<C: Contender>(&mut self, client: &C) -> Result<(), Error> {
        self.calls += 1;
        if !self.calls.is_multiple_of(ONE_IN) {
            return Ok(());
        }
        while let Some(ended) = self.running.try_join_next() {
            ended??;
        }
        let client = client.clone();
        let time = Duration::from_micros(fastrand::u64(5_000..=15_000));
        self.running.spawn(async move { client.pause(time).await });
        Ok(())
    }
}
