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
    let scored = addresses.iter().enumerate();
    let mut scored: Vec<_> = scored
        .map(|(place, address)| (xxh64(address.as_bytes(), client_seed), place))
        .collect();
    scored.select_nth_unstable(size - 1);
    scored.truncate(size);
    let mut chosen: Vec<_> = scored.into_iter().map(|(_, place)| place).collect();
    chosen.sort_unstable();
    chosen
}
