use std::{sync::Arc, time::Instant};

use tokio::task::JoinSet;

use super::{
    Latencies,
    notes::{Notebook, Notes},
    phase::Phase,
    slow::Slow,
};
use crate::{Cell, Contender, Error};

/// Callers, one task each, that call as fast as they are answered.
pub(super) async fn call<C: Contender>(
    clients: &[C],
    cell: Cell,
    slow: bool,
    phase: &Arc<Phase>,
) -> Result<Latencies, Error> {
    let (notebook, mut callers) = (Notebook::new(), JoinSet::new());
    for client in clients.iter().cycle().take(cell.concurrency) {
        let slow = slow.then(Slow::default);
        let (value, notes) = (C::value(cell.payload)?, notebook.notes());
        callers.spawn(caller(
            client.clone(),
            value,
            slow,
            Arc::clone(phase),
            notes,
        ));
    }
    tokio::select! {
        Some(ended) = callers.join_next() => ended??,
        () = phase.over() => {}
    }
    // Whoever still waits for an answer is not waited for.
    callers.shutdown().await;
    notebook.latencies()
}

async fn caller<C: Contender>(
    client: C,
    mut value: C::Value,
    mut slow: Option<Slow>,
    phase: Arc<Phase>,
    mut notes: Notes,
) -> Result<(), Error> {
    value = client.call(value).await?;
    phase.caller_is_warm();
    let mut start = Instant::now();
    loop {
        if let Some(slow) = &mut slow {
            slow.beside_one(&client)?;
        }
        value = client.call(value).await?;
        let end = Instant::now();
        if phase.counts() {
            notes.add(end - start);
        }
        start = end;
    }
}
