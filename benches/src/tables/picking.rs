use super::markdown::{Table, whole};
use crate::picking::Picking;

/// Nanoseconds to choose an endpoint.
pub fn picking(policies: &[Picking]) -> String {
    let mut counts: Vec<u32> = policies
        .iter()
        .flat_map(|policy| &policy.nanos)
        .map(|(count, _)| *count)
        .collect();
    counts.sort_unstable();
    counts.dedup();
    let numbers = counts.iter().map(|count| whole(Some(f64::from(*count))));
    let mut table = Table::new(1, ["policy".into()].into_iter().chain(numbers));
    for Picking { policy, nanos } in policies {
        let of = |count: &u32| {
            nanos
                .iter()
                .find(|(other, _)| other == count)
                .map(|(_, nanos)| *nanos)
        };
        let numbers = counts.iter().map(|count| whole(of(count)));
        table.row([policy.clone()].into_iter().chain(numbers));
    }
    table.to_string()
}
