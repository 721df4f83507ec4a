use std::net::SocketAddr;
use std::time::Duration;

use doge_base::{Dialect, Env};

use super::Dns;
use super::settings::{Records, Settings};
use super::template::Template;
use crate::RegistryError;

const SECOND: Duration = Duration::from_secs(1);
/// [Envoy](https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto)'s `dns_refresh_rate`, and
/// the time to live that CoreDNS gives the records of Kubernetes. gRPC looks again after 30 s at the soonest.
const DEFAULT_SHORTEST: Duration = Duration::from_secs(5);
const DEFAULT_LONGEST: Duration = Duration::from_secs(300);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
const SHORTEST_REFRESH: Duration = Duration::from_millis(100);
const LONGEST_REFRESH: Duration = Duration::from_secs(24 * 60 * 60);
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(100);

/// Sets what a [`Dns`] registry asks, and how often.
///
/// ```
/// use std::time::Duration;
/// use doge_registry::{Dialect, Dns};
///
/// let registry = Dns::addresses("{service}.hr.svc.cluster.local.", 4399)
///     .server("10.0.0.10:53".parse()?)
///     .dialect(Dialect::Doge)
///     .refresh(Duration::from_secs(1), Duration::from_secs(30))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "call build() to have the registry"]
#[derive(Clone, Debug)]
pub struct DnsBuilder {
    name: String,
    records: Records,
    dialect: Dialect,
    servers: Vec<SocketAddr>,
    shortest: Duration,
    longest: Duration,
    timeout: Duration,
    env: Env,
}

impl DnsBuilder {
    /// Asks this name server, after those named before. Unless set, those of the system: `/etc/resolv.conf`, which is read
    /// for the first look and again after a failure. Its search list is used with its name servers only.
    pub fn server(mut self, server: SocketAddr) -> Self {
        self.servers.push(server);
        self
    }

    /// Sets what the instances speak: the native protocol unless set.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Sets the shortest and the longest time between two looks, whatever the time to live of the records: 5 s and 5 min
    /// unless set, kept between 100 ms and a day, the longest time at least as long as the shortest.
    ///
    /// The shortest time also limits the looks that [hints](crate::Watch::refresh) ask for.
    pub fn refresh(mut self, shortest: Duration, longest: Duration) -> Self {
        self.shortest = shortest.clamp(SHORTEST_REFRESH, LONGEST_REFRESH);
        self.longest = longest.clamp(self.shortest, LONGEST_REFRESH);
        self
    }

    /// Sets how long one look may take, with all its questions: 5 s unless set, kept between 100 ms and 1 min. A server
    /// that does not answer is asked a second time after half of it.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.clamp(SHORTEST_TIMEOUT, 60 * SECOND);
        self
    }

    /// Sets where the clock and the random parts of pauses come from: the system unless set.
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// The registry; nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`RegistryError::InvalidSetting`] when the name is none, holds an unknown placeholder, or is an IP address; or when a
    /// port is 0.
    pub fn build(self) -> Result<Dns, RegistryError> {
        Ok(Dns::new(self.settings()?))
    }

    pub(super) fn new(name: String, records: Records) -> Self {
        Self {
            name,
            records,
            dialect: Dialect::Native,
            servers: Vec::new(),
            shortest: DEFAULT_SHORTEST,
            longest: DEFAULT_LONGEST,
            timeout: DEFAULT_TIMEOUT,
            env: Env::system(),
        }
    }

    pub(super) fn settings(self) -> Result<Settings, RegistryError> {
        let template = Template::parse(&self.name)?;
        if self.records == (Records::Addresses { port: 0 }) {
            return Err(RegistryError::InvalidSetting {
                setting: "port",
                value: "0".to_owned(),
                mend: "name the port that the instances listen at, or use SRV records, which have ports",
            });
        }
        if let Some(server) = self.servers.iter().find(|server| server.port() == 0) {
            return Err(RegistryError::InvalidSetting {
                setting: "name server",
                value: server.to_string(),
                mend: "name its port, which is 53 unless it was set",
            });
        }
        Ok(Settings {
            template,
            records: self.records,
            dialect: self.dialect,
            servers: self.servers,
            shortest: self.shortest,
            longest: self.longest,
            timeout: self.timeout,
            env: self.env,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_0_is_refused() {
        let refused = |builder: DnsBuilder| builder.build().unwrap_err().to_string();
        let error = refused(Dns::addresses("a.b", 0));
        assert!(error.contains("port") && error.contains("SRV"), "{error}");
        let error = refused(Dns::srv("a.b").server("10.0.0.1:0".parse().unwrap()));
        assert!(error.contains("53"), "{error}");
    }

    #[test]
    fn times_are_kept_within_bounds() {
        let of = |shortest, longest| {
            let builder = Dns::srv("a").refresh(shortest, longest);
            (builder.shortest, builder.longest)
        };
        assert_eq!(of(SECOND, 9 * SECOND), (SECOND, 9 * SECOND));
        assert_eq!(of(9 * SECOND, SECOND), (9 * SECOND, 9 * SECOND));
        let extremes = (SHORTEST_REFRESH, LONGEST_REFRESH);
        assert_eq!(of(Duration::ZERO, Duration::MAX), extremes);
        assert_eq!(Dns::srv("a").timeout(Duration::MAX).timeout, 60 * SECOND);
    }
}
