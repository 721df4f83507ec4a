//! Doing what the schedule says.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    journal::{Deed, Journal},
    replica::Replica,
    schedule::{Blow, Schedule, Strike},
};
use crate::demo::DemoError;

/// Does for so long to the replicas of a service what the schedule says, one at a time. All of them run before and
/// after.
pub(super) async fn run(
    replicas: &mut [Replica],
    schedule: Schedule,
    time: Duration,
    journal: &Journal<'_>,
) -> Result<(), DemoError> {
    let end = Instant::now() + time;
    for strike in schedule {
        sleep(strike.rest.min(end - Instant::now())).await;
        if Instant::now() >= end {
            break;
        }
        let replica = &mut replicas[strike.replica];
        let (service, blow) = (replica.service(), strike.blow);
        hit(replica, &strike, journal).await?;
        journal.note(Deed { service, blow });
    }
    Ok(())
}

async fn hit(
    replica: &mut Replica,
    strike: &Strike,
    journal: &Journal<'_>,
) -> Result<(), DemoError> {
    let (name, away) = (replica.name().to_owned(), strike.away);
    let seconds = away.as_secs_f64();
    match strike.blow {
        Blow::Kill => {
            replica.kill().await?;
            journal.write(format_args!("{name} killed, for {seconds:.1} s"))?;
            sleep(away).await;
            replica.start().await?;
            journal.write(format_args!("{name} replaced"))?;
        }
        Blow::Pause => {
            replica.pause()?;
            journal.write(format_args!("{name} paused, for {seconds:.1} s"))?;
            sleep(away).await;
            replica.resume()?;
            journal.write(format_args!("{name} goes on"))?;
        }
        Blow::Restart => {
            journal.write(format_args!("{name} asked to end"))?;
            replica.drain().await?;
            replica.start().await?;
            journal.write(format_args!("{name} restarted"))?;
        }
    }
    Ok(())
}
