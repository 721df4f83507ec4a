use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::join;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
    ServerOrderingStrategy,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::system_conf::read_system_conf;

use super::candidates::Search;
use super::failure::{Failure, Nothing, read};
use super::settings::Settings;

/// The most addresses that are taken of one name.
pub(super) const MOST_ADDRESSES: usize = 1_000;
/// The most aliases that lead to SRV records; to addresses, the crate follows as many.
const MOST_ALIASES: usize = 8;
/// A question is asked so often more when there is no answer.
const RETRIES: usize = 1;

/// Which name servers are asked, and for which names.
#[derive(Debug)]
pub(super) struct Configuration {
    resolver: ResolverConfig,
    options: ResolverOpts,
    pub(super) search: Search,
}

/// Asks the name servers, for the time of one look: it remembers answers.
#[derive(Debug)]
pub(super) struct Resolver(TokioResolver);

/// The records of one kind that a name has.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) records: Vec<Record>,
    /// What came with them.
    pub(super) additionals: Vec<Record>,
    /// In seconds, the shortest of all that led to the records.
    pub(super) ttl: u32,
}

/// The addresses of one kind that a name has.
pub(super) type Addresses = Result<Result<(Vec<IpAddr>, u32), Nothing>, String>;

impl Configuration {
    /// Reads the configuration of the system, unless the settings name the servers.
    pub(super) fn read(settings: &Settings) -> Result<Self, Failure> {
        let (resolver, mut options) = if settings.servers.is_empty() {
            read_system_conf().map_err(|error| {
                Failure::Failed(format!(
                    "the configuration of the system names no server: {error}"
                ))
            })?
        } else {
            let servers = settings.servers.iter().map(|&server| at(server));
            let resolver = ResolverConfig::from_name_servers(servers.collect());
            (resolver, ResolverOpts::default())
        };
        // So a question without an answer ends within half of the look, which goes on with what other questions say.
        options.timeout = settings.timeout / (2 * (RETRIES as u32 + 1));
        options.attempts = RETRIES;
        options.use_hosts_file = ResolveHosts::Never;
        options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
        // The bounds of times to live are those of the schedule.
        options.positive_max_ttl = Some(Duration::from_secs(u32::MAX.into()));
        let domains = match resolver.domain() {
            Some(domain) if resolver.search().is_empty() => vec![domain.clone()],
            _ => resolver.search().to_vec(),
        };
        let search = Search {
            domains,
            dots: options.ndots,
        };
        Ok(Self {
            resolver,
            options,
            search,
        })
    }

    /// The name servers, for those who read an error.
    pub(super) fn servers(&self) -> String {
        let servers = self.resolver.name_servers().iter().map(|server| {
            let port = server.connections.first().map_or(0, |it| it.port);
            SocketAddr::new(server.ip, port).to_string()
        });
        format!(
            "the name servers {}",
            servers.collect::<Vec<_>>().join(", ")
        )
    }
}

impl Resolver {
    pub(super) fn open(configuration: &Configuration) -> Result<Self, Failure> {
        let config = configuration.resolver.clone();
        let provider = TokioRuntimeProvider::default();
        let builder = TokioResolver::builder_with_config(config, provider);
        let resolver = builder.with_options(configuration.options.clone()).build();
        let resolver = resolver.map_err(|error| Failure::Failed(error.to_string()))?;
        Ok(Self(resolver))
    }

    /// The addresses of an absolute name: of version 4, and of version 6.
    pub(super) async fn addresses(&self, name: &Name) -> (Addresses, Addresses) {
        let of = async |kind| {
            let answer = self.ask(name, kind).await?;
            Ok(answer.map(|answer| {
                let ips = answer.records.iter().filter_map(ip_of);
                let mut ips: Vec<IpAddr> = ips.collect();
                ips.sort_unstable();
                ips.dedup();
                ips.truncate(MOST_ADDRESSES + 1);
                (ips, answer.ttl)
            }))
        };
        join(of(RecordType::A), of(RecordType::AAAA)).await
    }

    /// The SRV records of an absolute name, or of the name that it is an alias of.
    pub(super) async fn services(&self, name: &Name) -> Result<Result<Answer, Nothing>, String> {
        let (mut name, mut ttl) = (name.clone(), u32::MAX);
        for _ in 0..MOST_ALIASES {
            let nothing = match self.ask(&name, RecordType::SRV).await? {
                Ok(mut answer) => {
                    answer.ttl = answer.ttl.min(ttl);
                    return Ok(Ok(answer));
                }
                Err(nothing) => nothing,
            };
            let Ok(alias) = self.ask(&name, RecordType::CNAME).await? else {
                return Ok(Err(nothing));
            };
            let target = alias.records.iter().find_map(|record| match &record.data {
                RData::CNAME(target) => Some(target.0.clone()),
                _ => None,
            });
            let Some(target) = target else {
                return Ok(Err(nothing));
            };
            (name, ttl) = (target, ttl.min(alias.ttl));
        }
        Err("the aliases of the name do not end".to_owned())
    }

    async fn ask(&self, name: &Name, kind: RecordType) -> Result<Result<Answer, Nothing>, String> {
        let lookup = match self.0.lookup(name.clone(), kind).await {
            Ok(lookup) => lookup,
            Err(error) => return read(&error).map(Err),
        };
        let records: Vec<Record> = of_chain(name, kind, lookup.answers());
        let is_wanted = |record: &Record| record.record_type() == kind;
        if !records.iter().any(is_wanted) {
            return Ok(Err(Nothing::NoRecords));
        }
        Ok(Ok(Answer {
            ttl: records.iter().map(|record| record.ttl).min().unwrap_or(0),
            records: records.into_iter().filter(is_wanted).collect(),
            additionals: lookup.additionals().to_vec(),
        }))
    }
}

pub(super) fn ip_of(record: &Record) -> Option<IpAddr> {
    match &record.data {
        RData::A(a) => Some(a.0.into()),
        RData::AAAA(aaaa) => Some(aaaa.0.into()),
        _ => None,
    }
}

fn at(server: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    NameServerConfig::new(server.ip(), true, connections.into())
}

/// The records of `name` and of its aliases; what else a server says is nobody's business here.
fn of_chain(name: &Name, kind: RecordType, records: &[Record]) -> Vec<Record> {
    let aliases = records.iter().filter_map(|record| match &record.data {
        RData::CNAME(target) => Some(&target.0),
        _ => None,
    });
    let names: Vec<&Name> = [name].into_iter().chain(aliases).collect();
    let is_of_chain = |record: &&Record| {
        let kinds = [kind, RecordType::CNAME];
        kinds.contains(&record.record_type()) && names.contains(&&record.name)
    };
    records.iter().filter(is_of_chain).cloned().collect()
}
