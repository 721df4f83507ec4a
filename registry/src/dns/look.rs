use std::net::{IpAddr, SocketAddr};

use futures_util::StreamExt as _;
use futures_util::stream;
use hickory_resolver::proto::rr::Name;

use super::failure::{Failure, absent};
use super::host::{Host, Known, hosts_of};
use super::list::{Found, MOST_INSTANCES};
use super::resolver::{Configuration, Resolver};
use super::routes::Routes;
use super::settings::{Records, Settings};
use super::srv::{MEAN_WEIGHT, Target, by_priority, shared};

/// How many targets of SRV records are looked up at a time.
const AT_A_TIME: usize = 8;

/// Looks a name up, and remembers from one look to the next what a server may fail to say.
#[derive(Debug)]
pub(super) struct Looker {
    name: Name,
    /// Read for the first look, and again after a failure.
    configuration: Option<Configuration>,
    servers: String,
    /// The absolute name that has had records: the others of the search list are not asked any more.
    settled: Option<Name>,
    known: Known,
}

impl Looker {
    pub(super) fn new(name: Name) -> Self {
        Self {
            name,
            configuration: None,
            servers: "the name servers of the system".to_owned(),
            settled: None,
            known: Known::new(),
        }
    }

    /// The name that is asked, as far as it is known.
    pub(super) fn name(&self) -> &Name {
        self.settled.as_ref().unwrap_or(&self.name)
    }

    /// The name servers that were asked last, for those who read an error.
    pub(super) fn servers(&self) -> String {
        self.servers.clone()
    }

    /// One look, with all its questions. Cancel safe: what is remembered changes only with what is found.
    pub(super) async fn look(&mut self, settings: &Settings) -> Result<Found, Failure> {
        let configuration = match self.configuration.take() {
            Some(configuration) => configuration,
            None => Configuration::read(settings)?,
        };
        self.servers = configuration.servers();
        let looked = self.look_with(&configuration, settings.records);
        let looked = tokio::time::timeout(settings.timeout, looked).await;
        let late = |_| {
            let (name, limit) = (self.name(), settings.timeout);
            let why = format!("{name}: there is no answer within {limit:?}");
            Err(Failure::Failed(why))
        };
        let looked = looked.unwrap_or_else(late);
        if !matches!(looked, Err(Failure::Failed(_))) {
            self.configuration = Some(configuration);
        }
        looked
    }

    async fn look_with(
        &mut self,
        configuration: &Configuration,
        records: Records,
    ) -> Result<Found, Failure> {
        let resolver = &Resolver::open(configuration)?;
        let names = match &self.settled {
            Some(name) => vec![name.clone()],
            None => configuration.search.names(&self.name),
        };
        let mut absent = Vec::new();
        for name in names {
            let looked = match records {
                Records::Addresses { port } => self.addresses(resolver, &name, port).await,
                Records::Srv => self.services(resolver, &name).await,
            };
            match looked {
                Ok((found, known)) => {
                    (self.settled, self.known) = (Some(name), known);
                    return Ok(found);
                }
                Err(Failure::Absent(why)) => absent.push(format!("{name} {why}")),
                // Another name of the search list may have records, but not those that are looked for.
                Err(Failure::Failed(why)) => return Err(Failure::Failed(format!("{name}: {why}"))),
                Err(Failure::Unusable(why)) => {
                    return Err(Failure::Unusable(format!("{name} {why}")));
                }
            }
        }
        Err(Failure::Absent(absent.join(", ")))
    }

    async fn addresses(
        &self,
        resolver: &Resolver,
        name: &Name,
        port: u16,
    ) -> Result<(Found, Known), Failure> {
        let host = Host::ask(resolver, name, self.known.get(name)).await?;
        let mut found = Found::new(host.ttl);
        found.trouble = host.trouble;
        let mut routes = Routes::default();
        for ip in host.addresses.iter().flatten() {
            if routes.reach(*ip) {
                found.add(SocketAddr::new(*ip, port), MEAN_WEIGHT);
            }
        }
        if found.is_empty() {
            return Err(Failure::Unusable(NO_ROUTE.to_owned()));
        }
        Ok((found, Known::from([(name.clone(), host.addresses)])))
    }

    async fn services(&self, resolver: &Resolver, name: &Name) -> Result<(Found, Known), Failure> {
        let answer = match resolver.services(name).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(nothing)) => return Err(absent(nothing, "SRV records")),
            Err(failed) => return Err(Failure::Failed(failed)),
        };
        let came_along = hosts_of(&answer.additionals);
        for targets in by_priority(&answer.records) {
            let mut found = Found::new(answer.ttl);
            let mut known = Known::new();
            let mut routes = Routes::default();
            let hosts = targets.into_iter().map(|target| {
                let came_along = came_along.get(&target.name);
                let known = self.known.get(&target.name);
                async move {
                    let host = match came_along {
                        Some(host) => Ok(host.clone()),
                        None => Host::ask_or_recall(resolver, &target.name, known).await,
                    };
                    (target, host)
                }
            });
            let mut hosts = stream::iter(hosts).buffered(AT_A_TIME);
            while let Some((target, host)) = hosts.next().await {
                match host {
                    Ok(host) => {
                        found.add_target(&target, &host, &mut routes);
                        known.insert(target.name, host.addresses);
                    }
                    Err(Failure::Failed(why)) => {
                        found.trouble.get_or_insert(why);
                    }
                    Err(_) => {}
                }
                if found.len() > MOST_INSTANCES {
                    break;
                }
            }
            if !found.is_empty() {
                return Ok((found, known));
            }
            if let Some(why) = found.trouble {
                return Err(Failure::Failed(why));
            }
        }
        Err(Failure::Unusable(
            "has SRV records whose targets have no addresses".to_owned(),
        ))
    }
}

const NO_ROUTE: &str = "has only addresses that no instance can be at, or IPv6 addresses that this machine has no route to";

impl Found {
    fn add_target(&mut self, target: &Target, host: &Host, routes: &mut Routes) {
        let reached = host.addresses.iter().flatten();
        let reached: Vec<IpAddr> = reached.copied().filter(|ip| routes.reach(*ip)).collect();
        for ip in &reached {
            let weight = shared(target.weight, reached.len());
            self.add(SocketAddr::new(*ip, target.port), weight);
        }
        self.ttl = self.ttl.min(host.ttl);
        if self.trouble.is_none() {
            self.trouble.clone_from(&host.trouble);
        }
    }
}

#[cfg(test)]
mod tests {
    use doge_test_support::{Mood, NameServer};

    use super::super::candidates::Search;
    use super::*;
    use crate::Dns;

    /// Looks for `employee`, which is completed by `hr.svc.` and by `svc.`.
    struct Searching {
        server: NameServer,
        settings: Settings,
        looker: Looker,
    }

    impl Searching {
        fn new() -> Self {
            let server = NameServer::start();
            let builder = Dns::addresses("employee", 7000).server(server.address());
            let settings = builder.settings().unwrap();
            let mut looker = Looker::new("employee".parse().unwrap());
            let mut configuration = Configuration::read(&settings).unwrap();
            configuration.search = Search {
                domains: ["hr.svc.", "svc."].map(|it| it.parse().unwrap()).into(),
                dots: 1,
            };
            looker.configuration = Some(configuration);
            Self {
                server,
                settings,
                looker,
            }
        }

        async fn look(&mut self) -> Result<String, Failure> {
            self.looker.look(&self.settings).await?;
            Ok(self.looker.name().to_string())
        }
    }

    #[tokio::test]
    async fn the_first_name_of_the_search_list_that_has_records_is_the_name_from_then_on() {
        let mut searching = Searching::new();
        let absent = searching.look().await.unwrap_err();
        for name in ["employee.hr.svc.", "employee.svc.", "employee."] {
            let part = format!("{name} does not exist");
            assert!(absent.to_string().contains(&part), "{absent}");
        }
        searching.server.set("employee.svc.", 60, ["A 10.0.0.1"]);
        assert_eq!(searching.look().await.unwrap(), "employee.svc.");
        // A name that comes before it makes no difference any more, nor does a name after it.
        searching.server.set("employee.hr.svc.", 60, ["A 10.0.0.2"]);
        assert_eq!(searching.look().await.unwrap(), "employee.svc.");
        searching.server.set("employee.svc.", 60, [""; 0]);
        searching.server.set("employee.", 60, ["A 10.0.0.3"]);
        let failure = searching.look().await.unwrap_err();
        assert!(matches!(failure, Failure::Absent(_)), "{failure}");
    }

    #[tokio::test]
    async fn a_name_of_the_search_list_that_cannot_be_asked_or_used_is_not_passed_over() {
        let mut searching = Searching::new();
        searching.server.set("employee.hr.svc.", 60, ["A 0.0.0.0"]);
        searching.server.set("employee.svc.", 60, ["A 10.0.0.1"]);
        let unusable = searching.look().await.unwrap_err();
        assert!(matches!(unusable, Failure::Unusable(_)), "{unusable}");
        searching.server.becomes(Mood::ServFail);
        let failed = searching.look().await.unwrap_err();
        let said = failed.to_string();
        assert!(
            said.starts_with("employee.hr.svc.: ") && !said.contains(" employee.svc."),
            "{said}"
        );
    }
}
