#[cfg(feature = "etcd")]
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::hold::{Hold, HoldBack};
use crate::{Publisher, ServiceKey, Snapshot};

/// Events that come within this time of each other are told as one, as Dubbo has it with its delays.
const COALESCE: Duration = Duration::from_millis(200);

/// What the watches of one service are told of it: few changes at a time, and no losses that are in doubt.
#[derive(Debug)]
pub(crate) struct Telling {
    service: ServiceKey,
    hold: Hold,
    publisher: Arc<Publisher>,
    /// When changes that wait for company are told.
    due: Option<Instant>,
    told_at: Option<Instant>,
}

impl Telling {
    /// No instance is known yet.
    pub(crate) fn new(service: ServiceKey, settings: HoldBack) -> Self {
        Self {
            service,
            hold: Hold::new(settings, Snapshot::default()),
            publisher: Arc::new(Publisher::new(Snapshot::default())),
            due: None,
            told_at: None,
        }
    }

    pub(crate) fn publisher(&self) -> &Arc<Publisher> {
        &self.publisher
    }

    /// Tells what was known in an earlier life of the process; lists are measured against it from here on.
    #[cfg(feature = "etcd")]
    pub(crate) fn begin_with(&mut self, restored: Snapshot, settings: HoldBack) {
        self.hold = Hold::new(settings, restored.clone());
        self.publisher.publish(restored);
    }

    /// There is something to tell: at once if nothing was told for a while, and else together with what follows.
    pub(crate) fn soon(&mut self, now: Instant) {
        let quiet_at = self.told_at.map_or(now, |at| at + COALESCE);
        self.due.get_or_insert(quiet_at.max(now));
    }

    /// When there is something to tell, if there is.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// When to read the registry a second time, if it is in doubt.
    pub(crate) fn confirm_at(&self) -> Option<Instant> {
        self.hold.confirm_at()
    }

    /// The registry lists these. Gives back what is told of it, if that is anything new.
    pub(crate) fn tell(&mut self, listed: Snapshot, now: Instant) -> Option<Snapshot> {
        self.due = None;
        self.told_at = Some(now);
        let in_doubt = self.confirm_at().is_some();
        let count = listed.len();
        let snapshot = self.hold.offer(listed, now);
        if !in_doubt && self.confirm_at().is_some() {
            tracing::warn!(
                service = %self.service, listed = count, kept = snapshot.len(),
                "etcd suddenly lists too few instances; the others are kept until it confirms that they are gone"
            );
        }
        self.publish(snapshot)
    }

    /// These have said that they leave, which is told with the next list.
    #[cfg(feature = "etcd")]
    pub(crate) fn farewell(&mut self, leaving: &BTreeSet<String>) {
        if !leaving.is_empty() {
            self.hold.farewell(leaving);
        }
    }

    /// A second reading lists these, and they count, whatever they are. Gives back what is new.
    pub(crate) fn confirm(&mut self, listed: Snapshot) -> Option<Snapshot> {
        let confirmed = self.hold.confirm(listed);
        tracing::info!(service = %self.service, instances = confirmed.len(), "etcd confirms what was in doubt");
        self.publish(confirmed)
    }

    /// The second reading failed.
    pub(crate) fn postpone(&mut self, now: Instant) {
        self.hold.postpone(now);
    }

    fn publish(&self, snapshot: Snapshot) -> Option<Snapshot> {
        if self.publisher.snapshot() == snapshot {
            return None;
        }
        self.publisher.publish(snapshot.clone());
        Some(snapshot)
    }
}

/// Waits until then, or for ever.
pub(crate) async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Instance;

    fn telling() -> Telling {
        Telling::new(ServiceKey::new("s"), HoldBack::default())
    }

    fn listed(count: usize) -> Snapshot {
        let named = |at| Instance::fixed(ServiceKey::new("s"), &format!("tcp://a:{at}"));
        (0..count).map(named).collect()
    }

    #[test]
    fn the_first_change_is_told_at_once_and_the_next_with_company() {
        let (mut telling, now) = (telling(), Instant::now());
        telling.soon(now);
        assert_eq!(telling.due(), Some(now));
        assert_eq!(telling.tell(listed(1), now), Some(listed(1)));
        assert_eq!(telling.due(), None);
        telling.soon(now);
        telling.soon(now + COALESCE / 2);
        assert_eq!(telling.due(), Some(now + COALESCE));
    }

    #[test]
    fn nothing_new_is_not_told() {
        let (mut telling, now) = (telling(), Instant::now());
        assert_eq!(telling.tell(listed(0), now), None);
        assert_eq!(telling.tell(listed(2), now), Some(listed(2)));
        assert_eq!(telling.tell(listed(2), now), None);
    }

    #[test]
    fn a_loss_is_told_when_it_is_confirmed() {
        let (mut telling, now) = (telling(), Instant::now());
        telling.tell(listed(2), now);
        assert_eq!(telling.tell(listed(0), now), None);
        assert!(telling.confirm_at().is_some());
        assert_eq!(telling.publisher().snapshot(), listed(2));
        assert_eq!(telling.confirm(listed(0)), Some(listed(0)));
        assert_eq!(telling.confirm_at(), None);
    }
}
