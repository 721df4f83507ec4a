use doge_base::Env;
use doge_rpc_client::balance::subset;

fn addresses(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("tcp://node-{number}:1"))
        .collect()
}

fn of(addresses: &[String], seed: u64, size: usize) -> Vec<&str> {
    let borrowed: Vec<_> = addresses.iter().map(String::as_str).collect();
    let chosen = subset(&borrowed, seed, size);
    chosen.into_iter().map(|place| borrowed[place]).collect()
}

/// 1,000 clients with 20 of 100 endpoints each: a binomial of mean 200 and deviation 12.6 for each endpoint.
#[test]
fn clients_spread_over_all_endpoints_evenly() {
    let addresses = addresses(100);
    let mut clients = vec![0_usize; 100];
    for seed in 0..1000 {
        let chosen = of(&addresses, seed, 20);
        assert_eq!(chosen.len(), 20);
        for address in chosen {
            clients[addresses.iter().position(|known| known == address).unwrap()] += 1;
        }
    }
    let square: f64 = clients
        .iter()
        .map(|count| (*count as f64 - 200.0).powi(2))
        .sum();
    let deviation = (square / 100.0).sqrt();
    assert!((9.0..16.0).contains(&deviation), "{deviation}");
}

#[test]
fn one_that_goes_is_replaced_by_one_and_the_order_of_the_list_does_not_matter() {
    let (all, env) = (addresses(50), Env::seeded(1));
    for seed in 0..100 {
        let before = of(&all, seed, 10);
        let gone = before[3];
        let mut rest: Vec<_> = all
            .iter()
            .filter(|address| *address != gone)
            .cloned()
            .collect();
        rest.sort_by_cached_key(|_| env.number());
        let after = of(&rest, seed, 10);
        let kept = before.iter().filter(|address| after.contains(address));
        assert_eq!(kept.count(), 9);
    }
}

#[test]
fn one_that_is_not_used_goes_unnoticed() {
    let all = addresses(50);
    let before = of(&all, 7, 10);
    let unused = all
        .iter()
        .find(|address| !before.contains(&address.as_str()))
        .unwrap();
    let rest: Vec<_> = all
        .iter()
        .filter(|address| *address != unused)
        .cloned()
        .collect();
    assert_eq!(of(&rest, 7, 10), before);
}

#[test]
fn a_size_beyond_the_list_is_the_list_and_none_is_one() {
    let all = addresses(3);
    assert_eq!(of(&all, 1, 3).len(), 3);
    assert_eq!(of(&all, 1, 99).len(), 3);
    assert_eq!(of(&all, 1, 0).len(), 1);
    assert!(of(&[], 1, 0).is_empty());
}
