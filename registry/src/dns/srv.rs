use std::collections::BTreeMap;

use hickory_resolver::proto::rr::rdata::SRV;
use hickory_resolver::proto::rr::{Name, RData, Record};

/// The weight of an instance whose SRV weight is the mean.
pub(super) const MEAN_WEIGHT: u32 = 100;

/// A host and a port of an SRV record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) name: Name,
    pub(super) port: u16,
    /// In the registry: 100 is the mean of its priority.
    pub(super) weight: u32,
}

/// The targets by priority, the lowest first; a target that is there twice counts once.
pub(super) fn by_priority(records: &[Record]) -> Vec<Vec<Target>> {
    let mut priorities: BTreeMap<u16, BTreeMap<(Name, u16), u16>> = BTreeMap::new();
    for record in records {
        if let RData::SRV(srv) = &record.data
            && is_there(srv)
        {
            let targets = priorities.entry(srv.priority).or_default();
            targets.insert((srv.target.to_lowercase(), srv.port), srv.weight);
        }
    }
    priorities.into_values().map(weighted).collect()
}

/// The weight of each of several addresses of a target, which share the weight of the target.
pub(super) fn shared(weight: u32, addresses: usize) -> u32 {
    let addresses = u32::try_from(addresses).unwrap_or(u32::MAX);
    (weight / addresses.max(1)).max(1)
}

/// The target `.` says that the service is not there (RFC 2782).
fn is_there(srv: &SRV) -> bool {
    !srv.target.is_root() && srv.port != 0
}

fn weighted(targets: BTreeMap<(Name, u16), u16>) -> Vec<Target> {
    let sum: u64 = targets.values().map(|&weight| u64::from(weight)).sum();
    let count = targets.len() as u64;
    let in_registry = |weight: u16| match sum {
        0 => MEAN_WEIGHT,
        sum => {
            let weight = u64::from(weight) * count * u64::from(MEAN_WEIGHT) / sum;
            u32::try_from(weight).unwrap_or(u32::MAX).max(1)
        }
    };
    let targets = targets.into_iter().map(|((name, port), weight)| Target {
        name,
        port,
        weight: in_registry(weight),
    });
    targets.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(priority: u16, weight: u16, port: u16, target: &str) -> Record {
        let srv = SRV::new(priority, weight, port, target.parse().unwrap());
        Record::from_rdata("_doge._tcp.x.".parse().unwrap(), 60, RData::SRV(srv))
    }

    fn weights(weights: &[u16]) -> Vec<u32> {
        let records = weights.iter().zip(1..);
        let records = records.map(|(&weight, port)| record(0, weight, port, "a."));
        let records: Vec<_> = records.collect();
        let targets = by_priority(&records).remove(0);
        targets.into_iter().map(|target| target.weight).collect()
    }

    #[test]
    fn a_weight_is_in_relation_to_the_mean_and_never_0() {
        assert_eq!(weights(&[7, 7]), [100, 100]);
        assert_eq!(weights(&[0, 0, 0]), [100, 100, 100]);
        assert_eq!(weights(&[10, 30]), [50, 150]);
        assert_eq!(weights(&[0, 10]), [1, 200]);
        assert_eq!(weights(&[u16::MAX, 1]), [199, 1]);
        assert_eq!(weights(&[1]), [100]);
        assert_eq!(weights(&vec![u16::MAX; 2_000]), [100; 2_000]);
    }

    #[test]
    fn addresses_share_the_weight_of_their_target() {
        assert_eq!((shared(100, 1), shared(100, 2), shared(1, 5)), (100, 50, 1));
    }

    #[test]
    fn the_lowest_priority_comes_first_and_a_target_counts_once() {
        let records = [
            record(20, 1, 1, "c."),
            record(10, 1, 1, "b."),
            record(10, 1, 1, "B."),
            record(10, 1, 2, "b."),
            record(0, 1, 1, "."),
            record(0, 1, 0, "a."),
        ];
        let priorities = by_priority(&records);
        let names = priorities.iter().map(|targets| {
            let targets = targets.iter();
            let names = targets.map(|target| format!("{}:{}", target.name, target.port));
            names.collect::<Vec<_>>()
        });
        let names: Vec<_> = names.collect();
        assert_eq!(names, [vec!["b.:1", "b.:2"], vec!["c.:1"]]);
    }
}
