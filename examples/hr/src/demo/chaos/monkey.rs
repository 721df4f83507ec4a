//! Doing what the schedule says.

use std::time::Duration;

use doge_rpc::client::Cluster;
use tokio::time::{Instant, sleep};

use super::{
    journal::{Deed, Journal, Withheld},
    replica::Replica,
    schedule::{Blow, Schedule, Strike},
};
use crate::demo::DemoError;

/// Does for so long to the replicas of a service what the schedule says, one at a time. All of them run before and
/// after. `cluster` is a client of the service.
pub(super) async fn run(
    replicas: &mut [Replica],
    cluster: &Cluster,
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
        let withheld = hit(replica, cluster, &strike, journal).await?;
        journal.note(Deed {
            service: replica.service(),
            replica: replica.name().to_owned(),
            blow: strike.blow,
            withheld,
        });
    }
    Ok(())
}

async fn hit(
    replica: &mut Replica,
    cluster: &Cluster,
    strike: &Strike,
    journal: &Journal<'_>,
) -> Result<Option<Withheld>, DemoError> {
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
        Blow::Withhold => {
            let calls = cluster.stats().calls;
            let reached = replica.database_failures()?;
            replica.withhold_data()?;
            journal.write(format_args!(
                "{name} without its database, for {seconds:.1} s"
            ))?;
            sleep(away).await;
            replica.give_data_back()?;
            let withheld = Withheld {
                calls: cluster.stats().calls - calls,
                reached: replica.database_failures()? - reached,
            };
            journal.write(format_args!("{name} has its database again"))?;
            return Ok(Some(withheld));
        }
    }
    Ok(None)
}
