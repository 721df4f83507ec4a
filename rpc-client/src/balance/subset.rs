use xxhash_rust::xxh64::xxh64;

/// The part of many endpoints that one client uses: rendezvous hashing, as gRFC A68 has it. Returns places in
/// `addresses`, in their order.
///
/// A client keeps its endpoints when others come and go: one that goes is replaced by one other, and one that comes
/// replaces one at most. Clients of different seeds spread over all endpoints evenly. A size of 0 counts as 1.
///
/// ```
/// use doge_rpc_client::balance::subset;
///
/// let addresses = ["tcp://a:1", "tcp://b:1", "tcp://c:1", "tcp://d:1"];
/// let used = subset(&addresses, 7, 2);
/// assert_eq!(used.len(), 2);
/// assert_eq!(used, subset(&addresses, 7, 2));
/// ```
pub fn subset(addresses: &[&str], client_seed: u64, size: usize) -> Vec<usize> {
    let size = size.max(1);
    if addresses.len() <= size {
        return (0..addresses.len()).collect();
    }
    let mut chosen = ranked(addresses.iter().copied(), client_seed);
    chosen.truncate(size);
    chosen.sort_unstable();
    chosen
}

/// The places of addresses in the order in which a client prefers them.
pub(crate) fn ranked<'a>(addresses: impl Iterator<Item = &'a str>, client_seed: u64) -> Vec<usize> {
    let score = |address: &str| xxh64(address.as_bytes(), client_seed);
    let mut scored: Vec<_> = addresses.map(score).zip(0..).collect();
    scored.sort_unstable();
    scored.into_iter().map(|(_, place)| place).collect()
}
