use std::collections::HashMap;
use std::net::IpAddr;

use hickory_resolver::proto::rr::{Name, Record};

use super::failure::{Failure, Nothing, absent};
use super::resolver::{Addresses, Resolver, ip_of};

/// The addresses of one host.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) addresses: ByVersion,
    /// In seconds, the shortest of all that was found.
    pub(super) ttl: u32,
    /// What could not be looked up, and is as it was known.
    pub(super) trouble: Option<String>,
}

/// The addresses of version 4, and those of version 6.
pub(super) type ByVersion = [Vec<IpAddr>; 2];

/// What is known of each host from the last look.
pub(super) type Known = HashMap<Name, ByVersion>;

const KINDS: [&str; 2] = ["A", "AAAA"];

impl Host {
    /// Looks a host up. When the servers answer for one kind of records only, the other addresses are as they were known.
    pub(super) async fn ask(
        resolver: &Resolver,
        name: &Name,
        known: Option<&ByVersion>,
    ) -> Result<Self, Failure> {
        let answers: [Addresses; 2] = resolver.addresses(name).await.into();
        if !answers.iter().any(|answer| matches!(answer, Ok(Ok(_)))) {
            return Err(why_none(answers));
        }
        let mut host = Self::new();
        for (kind, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(Ok((addresses, ttl))) => {
                    host.addresses[kind] = addresses;
                    host.ttl = host.ttl.min(ttl);
                }
                Ok(Err(_)) => {}
                Err(why) => {
                    host.addresses[kind] = known.map_or_else(Vec::new, |it| it[kind].clone());
                    host.trouble = Some(format!("the {} records of {name}: {why}", KINDS[kind]));
                }
            }
        }
        Ok(host)
    }

    /// Looks a host up. When the servers do not answer at all, the host is as it was known.
    pub(super) async fn ask_or_recall(
        resolver: &Resolver,
        name: &Name,
        known: Option<&ByVersion>,
    ) -> Result<Self, Failure> {
        match (Self::ask(resolver, name, known).await, known) {
            (Err(Failure::Failed(why)), known) => {
                let why = format!("{name}: {why}");
                let addresses = known.ok_or_else(|| Failure::Failed(why.clone()))?.clone();
                Ok(Self {
                    addresses,
                    ttl: 0,
                    trouble: Some(why),
                })
            }
            (host, _) => host,
        }
    }

    fn new() -> Self {
        Self {
            addresses: [const { Vec::new() }; 2],
            ttl: u32::MAX,
            trouble: None,
        }
    }
}

/// The hosts whose addresses came along with an answer. A server sends all addresses of a kind or none
/// ([RFC 2181](https://www.rfc-editor.org/rfc/rfc2181#section-9)).
pub(super) fn hosts_of(records: &[Record]) -> HashMap<Name, Host> {
    let mut hosts: HashMap<Name, Host> = HashMap::new();
    for record in records {
        let Some(ip) = ip_of(record) else { continue };
        let name = record.name.to_lowercase();
        let host = hosts.entry(name).or_insert_with(Host::new);
        host.ttl = host.ttl.min(record.ttl);
        host.addresses[usize::from(ip.is_ipv6())].push(ip);
    }
    for addresses in hosts.values_mut().flat_map(|host| &mut host.addresses) {
        addresses.sort_unstable();
        addresses.dedup();
    }
    hosts
}

/// Why there are no addresses of either version. A name that does not exist has none of both, whatever became of the
/// other question ([RFC 8020](https://www.rfc-editor.org/rfc/rfc8020)).
fn why_none(answers: [Addresses; 2]) -> Failure {
    let is_no_name = |answer: &Addresses| *answer == Ok(Err(Nothing::NoName));
    if answers.iter().any(is_no_name) {
        return absent(Nothing::NoName, "");
    }
    match answers.into_iter().find_map(Result::err) {
        Some(failed) => Failure::Failed(failed),
        None => absent(Nothing::NoRecords, "A and AAAA records"),
    }
}
