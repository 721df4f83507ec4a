use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::settings::Settings;
use crate::{Instance, ServiceKey, Snapshot};

/// The most instances of a list.
pub(super) const MOST_INSTANCES: usize = 1_000;

/// What a look has found.
#[derive(Debug)]
pub(super) struct Found {
    /// The weight of each place.
    places: BTreeMap<SocketAddr, u32>,
    /// In seconds, the shortest of all that was found.
    pub(super) ttl: u32,
    /// What could not be looked up first, and is as it was known.
    pub(super) trouble: Option<String>,
}

impl Found {
    pub(super) fn new(ttl: u32) -> Self {
        Self {
            places: BTreeMap::new(),
            ttl,
            trouble: None,
        }
    }

    /// Adds an instance; two hosts at one place have both their weights there.
    pub(super) fn add(&mut self, place: SocketAddr, weight: u32) {
        let there = self.places.entry(place).or_insert(0);
        *there = there.saturating_add(weight);
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The instances of a service, of which there are only so many.
    pub(super) fn snapshot(&self, key: &ServiceKey, settings: &Settings) -> Snapshot {
        let places = self.places.iter().take(MOST_INSTANCES);
        let instances = places.map(|(&place, &weight)| {
            Instance::fixed(key.clone(), &settings.address(place)).with_weight(weight)
        });
        instances.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use doge_base::Dialect;

    use super::*;
    use crate::Dns;

    #[test]
    fn a_list_is_bounded_and_each_place_counts_once() {
        let settings = Dns::srv("a").dialect(Dialect::Doge).settings().unwrap();
        let mut found = Found::new(1);
        for number in 0..2_000_u32 {
            let ip = Ipv4Addr::from_bits(0x0a00_0000 + number % 1_500);
            found.add((ip, 4399).into(), 100);
        }
        assert_eq!(found.len(), 1_500);
        let snapshot = found.snapshot(&ServiceKey::new("s"), &settings);
        assert_eq!(snapshot.len(), MOST_INSTANCES);
        let first = snapshot.get("doge://10.0.0.0:4399").unwrap();
        assert_eq!((first.address(), first.weight()), (first.id(), 200));
        assert!(snapshot.get("doge://10.0.3.231:4399").is_some());
        assert!(snapshot.get("doge://10.0.3.232:4399").is_none());
    }
}
