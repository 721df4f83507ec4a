//! Protection against a list that suddenly lacks most of its instances, as a state machine without I/O.

#[cfg(feature = "etcd")]
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::Snapshot;

/// When a registry doubts that instances are gone, and what it does then.
///
/// A list that became empty, or lost most of its instances, is more often a registry in trouble (a
/// wiped prefix, leases that all expired during a pause) than the truth. The instances that vanished
/// then stay for a while, until a second reading of the registry confirms that they are gone;
/// those that joined or changed are there at once. Those who said farewell before they left (a registry with
/// weights and tags has room for it) are not missed. Dubbo has this as `enable-empty-protection`, off by
/// default; here it is on.
///
/// ```
/// use std::time::Duration;
/// use doge_registry::HoldBack;
///
/// let hold_back = HoldBack { confirm_after: Duration::from_secs(10), ..HoldBack::default() };
/// assert_eq!(hold_back.share, 0.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HoldBack {
    /// How long after the first doubt the registry is read a second time: 3 s. Zero turns the
    /// protection off.
    pub confirm_after: Duration,
    /// The share of the instances that has to be left for a list to be believed at once: 0.5. An
    /// empty list never is.
    pub share: f64,
    /// How far back lists are compared: a list is measured against the longest one within this
    /// time, so that many small losses count like a large one: 30 s.
    pub memory: Duration,
}

impl Default for HoldBack {
    fn default() -> Self {
        Self {
            confirm_after: Duration::from_secs(3),
            share: 0.5,
            memory: Duration::from_secs(30),
        }
    }
}

/// Decides which instances a watch is told of, given what the registry lists.
#[derive(Debug)]
pub(crate) struct Hold {
    settings: HoldBack,
    /// What was last made of a list.
    current: Snapshot,
    /// The last list that was believed, without those who have said farewell since.
    believed: Snapshot,
    /// Lengths of lists believed before, each longer than those after it, and when each was replaced.
    longer: VecDeque<(usize, Instant)>,
    confirm_at: Option<Instant>,
}

impl Hold {
    /// Lists are measured against `current` from here on.
    pub(crate) fn new(settings: HoldBack, current: Snapshot) -> Self {
        Self {
            settings,
            believed: current.clone(),
            current,
            longer: VecDeque::new(),
            confirm_at: None,
        }
    }

    /// The instances that count, now that the registry lists these.
    pub(crate) fn offer(&mut self, listed: Snapshot, now: Instant) -> Snapshot {
        if self.is_doubtful(&listed, now) {
            // The time runs from the first doubt: events in the meantime do not put it off.
            self.confirm_at
                .get_or_insert(now + self.settings.confirm_after);
            self.current = self.current.iter().chain(&listed).cloned().collect();
        } else {
            self.confirm_at = None;
            self.remember(&listed, now);
            self.current = listed;
        }
        self.current.clone()
    }

    /// These have said that they leave: that they are missing is no reason for doubt.
    #[cfg(feature = "etcd")]
    pub(crate) fn farewell(&mut self, leaving: &BTreeSet<String>) {
        let stay = |snapshot: &Snapshot| {
            let staying = snapshot.iter().filter(|one| !leaving.contains(one.id()));
            staying.cloned().collect::<Snapshot>()
        };
        let before = self.believed.len();
        self.believed = stay(&self.believed);
        self.current = stay(&self.current);
        let gone = before - self.believed.len();
        for (length, _) in &mut self.longer {
            *length = length.saturating_sub(gone);
        }
    }

    /// When to read the registry a second time, if it is in doubt.
    pub(crate) fn confirm_at(&self) -> Option<Instant> {
        self.confirm_at
    }

    /// The second reading failed: what is held stays, and is read again after the same time.
    pub(crate) fn postpone(&mut self, now: Instant) {
        if let Some(at) = &mut self.confirm_at {
            *at = now + self.settings.confirm_after;
        }
    }

    /// The instances that count, which are those that a second reading lists, few as they may be.
    pub(crate) fn confirm(&mut self, listed: Snapshot) -> Snapshot {
        self.confirm_at = None;
        self.longer.clear();
        self.believed = listed.clone();
        self.current = listed;
        self.current.clone()
    }

    fn is_doubtful(&mut self, listed: &Snapshot, now: Instant) -> bool {
        let longest = self.longest(now);
        if self.settings.confirm_after.is_zero() || longest == 0 {
            return false;
        }
        listed.is_empty() || (listed.len() as f64) < longest as f64 * self.settings.share
    }

    fn longest(&mut self, now: Instant) -> usize {
        let memory = self.settings.memory;
        while self
            .longer
            .pop_front_if(|(_, replaced)| now.saturating_duration_since(*replaced) > memory)
            .is_some()
        {}
        let before = self.longer.front().map_or(0, |(length, _)| *length);
        before.max(self.believed.len())
    }

    /// This list is believed from now on.
    fn remember(&mut self, listed: &Snapshot, now: Instant) {
        let (before, length) = (self.believed.len(), listed.len());
        if length < before {
            self.longer.push_back((before, now));
        }
        self.believed = listed.clone();
        // What a later list exceeds is never the longest again.
        while self
            .longer
            .pop_back_if(|(earlier, _)| *earlier <= length)
            .is_some()
        {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Instance, ServiceKey};

    const SECOND: Duration = Duration::from_secs(1);

    fn instances(names: impl IntoIterator<Item = usize>) -> Snapshot {
        let key = ServiceKey::new("hr.employee");
        let named = |name| Instance::fixed(key.clone(), &format!("tcp://a:{name:04}"));
        names.into_iter().map(named).collect()
    }

    fn hold(count: usize) -> (Hold, Instant) {
        let hold = Hold::new(HoldBack::default(), instances(0..count));
        (hold, Instant::now())
    }

    /// Of every number of instances to every smaller one: held if and only if fewer than half are left, or none.
    #[test]
    fn it_holds_what_is_empty_or_fewer_than_half() {
        for before in 0..=12 {
            for after in 0..=before {
                let (mut hold, now) = hold(before);
                let shown = hold.offer(instances(0..after), now);
                let held = before > 0 && (after == 0 || after * 2 < before);
                let expected = if held { before } else { after };
                assert_eq!(shown.len(), expected, "{before} to {after}");
                let confirm_at = held.then_some(now + 3 * SECOND);
                assert_eq!(hold.confirm_at(), confirm_at, "{before} to {after}");
            }
        }
    }

    #[test]
    fn growth_is_never_held() {
        let (mut hold, now) = hold(0);
        for count in [0, 1, 5, 500] {
            assert_eq!(hold.offer(instances(0..count), now), instances(0..count));
            assert_eq!(hold.confirm_at(), None);
        }
    }

    #[test]
    fn what_joins_or_changes_while_others_are_held_is_there_at_once() {
        let (mut hold, now) = hold(4);
        let heavier: Snapshot = (instances([1]).iter())
            .map(|instance| (**instance).clone().with_weight(7))
            .collect();
        let listed: Snapshot = heavier
            .iter()
            .cloned()
            .chain(instances([9]).iter().cloned())
            .collect();
        // Two of four are no reason for doubt, and one is.
        assert_eq!(hold.offer(listed, now).len(), 2);
        let (mut hold, now) = self::hold(4);
        let shown = hold.offer(heavier.clone(), now);
        assert_eq!(shown.len(), 4);
        let id = heavier.iter().next().unwrap().id().to_owned();
        assert_eq!(shown.get(&id).unwrap().weight(), 7);
        let shown = hold.offer(instances([9]), now);
        assert_eq!(shown.len(), 5);
    }

    #[test]
    fn those_that_join_in_the_meantime_do_not_raise_the_bar() {
        let (mut hold, now) = hold(4);
        hold.offer(instances([9]), now);
        assert_eq!(hold.offer(instances([8, 9]), now), instances([8, 9]));
        assert_eq!(hold.confirm_at(), None);
    }

    #[test]
    fn the_second_reading_is_believed_whatever_it_says() {
        for confirmed in [0, 1, 4, 7] {
            let (mut hold, now) = hold(4);
            hold.offer(instances([]), now);
            let shown = hold.confirm(instances(0..confirmed));
            assert_eq!(shown, instances(0..confirmed));
            assert_eq!(hold.confirm_at(), None);
            // From here on that is the measure.
            let shown = hold.offer(instances(0..confirmed), now + SECOND);
            assert_eq!(shown, instances(0..confirmed));
            assert_eq!(hold.confirm_at(), None);
        }
    }

    #[test]
    fn instances_that_come_back_end_the_doubt() {
        let (mut hold, now) = hold(4);
        hold.offer(instances([]), now);
        hold.offer(instances([0]), now + SECOND);
        assert!(hold.confirm_at().is_some());
        let shown = hold.offer(instances([0, 1]), now + SECOND);
        assert_eq!(shown, instances([0, 1]));
        assert_eq!(hold.confirm_at(), None);
    }

    #[test]
    fn events_do_not_put_the_second_reading_off_and_its_failure_does() {
        let (mut hold, now) = hold(4);
        hold.offer(instances([]), now);
        hold.offer(instances([0]), now + 2 * SECOND);
        assert_eq!(hold.confirm_at(), Some(now + 3 * SECOND));
        hold.postpone(now + 4 * SECOND);
        assert_eq!(hold.confirm_at(), Some(now + 7 * SECOND));
        let shown = hold.offer(instances([]), now + 60 * SECOND);
        assert_eq!(shown.len(), 4, "held as long as nobody confirms");
    }

    #[test]
    fn without_doubt_there_is_nothing_to_put_off() {
        let (mut hold, now) = hold(4);
        hold.postpone(now);
        assert_eq!(hold.confirm_at(), None);
    }

    #[test]
    fn many_small_losses_within_the_memory_count_as_one() {
        let (mut hold, now) = hold(10);
        for (left, seconds) in [(9, 1), (7, 2), (5, 3)] {
            let shown = hold.offer(instances(0..left), now + seconds * SECOND);
            assert_eq!(shown.len(), left);
        }
        let shown = hold.offer(instances(0..4), now + 4 * SECOND);
        assert_eq!(shown.len(), 5);
        assert_eq!(hold.confirm_at(), Some(now + 7 * SECOND));
    }

    #[cfg(feature = "etcd")]
    fn ids(names: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
        let ids = instances(names);
        ids.iter().map(|one| one.id().to_owned()).collect()
    }

    /// Of every number of instances, for every number that says farewell and every number that vanishes besides: held if
    /// and only if those who should be there are fewer than half, or none.
    #[cfg(feature = "etcd")]
    #[test]
    fn those_who_say_farewell_are_not_missed() {
        for before in 0..=8 {
            for leaving in 0..=before {
                for lost in 0..=before - leaving {
                    let (mut hold, now) = hold(before);
                    hold.farewell(&ids(0..leaving));
                    let shown = hold.offer(instances(leaving + lost..before), now);
                    let (due, left) = (before - leaving, before - leaving - lost);
                    let held = due > 0 && (left == 0 || left * 2 < due);
                    let expected = if held { due } else { left };
                    assert_eq!(shown.len(), expected, "{before} {leaving} {lost}");
                    assert_eq!(hold.confirm_at().is_some(), held);
                }
            }
        }
    }

    #[cfg(feature = "etcd")]
    #[test]
    fn a_farewell_during_a_doubt_ends_it_only_for_who_says_it() {
        let (mut hold, now) = hold(4);
        hold.offer(instances([]), now);
        hold.farewell(&ids([0, 9]));
        assert_eq!(hold.offer(instances([]), now), instances(1..4));
        hold.farewell(&ids(1..4));
        assert!(hold.offer(instances([]), now).is_empty());
        assert_eq!(hold.confirm_at(), None);
    }

    #[cfg(feature = "etcd")]
    #[test]
    fn a_farewell_does_not_hide_what_was_lost_before() {
        let (mut hold, now) = hold(10);
        hold.offer(instances(0..6), now);
        hold.farewell(&ids(0..3));
        // Three of the seven that should be there.
        assert_eq!(hold.offer(instances(3..6), now + SECOND).len(), 3);
        assert!(hold.confirm_at().is_some());
    }

    #[test]
    fn losses_longer_ago_than_the_memory_are_forgotten() {
        let (mut hold, now) = hold(10);
        hold.offer(instances(0..6), now);
        let shown = hold.offer(instances(0..4), now + 31 * SECOND);
        assert_eq!(shown.len(), 4);
        assert_eq!(hold.confirm_at(), None);
    }

    #[test]
    fn the_memory_is_as_long_as_the_decline_at_most() {
        let (mut hold, now) = hold(0);
        for round in 0..1000 {
            hold.offer(instances(0..10 + round % 2), now);
        }
        assert!(hold.longer.len() <= 1, "{:?}", hold.longer);
    }

    #[test]
    fn zero_turns_it_off() {
        let settings = HoldBack {
            confirm_after: Duration::ZERO,
            ..HoldBack::default()
        };
        let mut hold = Hold::new(settings, instances(0..4));
        assert!(hold.offer(instances([]), Instant::now()).is_empty());
        assert_eq!(hold.confirm_at(), None);
    }

    #[test]
    fn a_list_from_disk_is_a_measure_and_what_is_made_of_it_is_not_marked() {
        let mut hold = Hold::new(HoldBack::default(), instances(0..4).restored());
        let shown = hold.offer(instances([]), Instant::now());
        assert_eq!(shown, instances(0..4));
        assert!(!shown.is_restored());
    }
}
