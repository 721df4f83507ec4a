use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use doge_base::Env;

use super::Etcd;
use super::layout::Layout;
use super::settings::{Credentials, Settings};
use super::tls::EtcdTls;
use crate::remote::endpoint::Endpoint;
use crate::remote::{bounds, prefix};
use crate::{HoldBack, RegistryError};

const SECOND: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// Sets what an [`Etcd`] registry connects to, and its times.
///
/// ```
/// use std::time::Duration;
/// use doge_registry::Etcd;
///
/// let registry = Etcd::builder(["10.0.0.1:2379", "10.0.0.2:2379", "10.0.0.3:2379"])
///     .user("hr", "secret")
///     .ttl(Duration::from_secs(30))
///     .snapshots("/var/lib/hr/registry")
///     .build()?;
/// # Ok::<(), doge_registry::RegistryError>(())
/// ```
#[must_use = "call build() to have the registry"]
#[derive(Clone, Debug)]
pub struct EtcdBuilder {
    endpoints: Vec<String>,
    prefix: String,
    ttl: Duration,
    request_timeout: Duration,
    connect_timeout: Duration,
    resync_interval: Duration,
    silence_limit: Duration,
    hold_back: HoldBack,
    credentials: Option<Credentials>,
    tls: Option<EtcdTls>,
    snapshots: Option<PathBuf>,
    env: Env,
}

impl EtcdBuilder {
    /// Sets what all keys begin with: `/doge/rpc` unless set. `/` stands for nothing.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how long the instances of this process stay registered after it died: 15 s unless set, in
    /// whole seconds, kept between 1 s and an hour.
    ///
    /// The lease is renewed every third of it. etcd makes it longer when it is shorter than about
    /// one and a half of its own election timeouts.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = bounds::ttl(ttl);
        self
    }

    /// Sets how long one request to one member may take: 3 s unless set, kept between 10 ms and 1 min.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = bounds::timeout(timeout);
        self
    }

    /// Sets how long connecting to one member may take, logging in included: 3 s unless set, kept
    /// between 10 ms and 1 min.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = bounds::timeout(timeout);
        self
    }

    /// Sets how often a watched service is read as a whole, whatever the events said: 5 min unless
    /// set, ±20 % each time, kept between 1 s and a day.
    pub fn resync_interval(mut self, interval: Duration) -> Self {
        self.resync_interval = interval.clamp(SECOND, LONGEST_INTERVAL);
        self
    }

    /// Sets how long nothing may be heard on a watch before etcd is asked whether it is still there:
    /// 60 s unless set, kept between 100 ms and a day. Without an answer within the request timeout,
    /// the watch moves to another member.
    pub fn silence_limit(mut self, limit: Duration) -> Self {
        self.silence_limit = bounds::silence(limit, LONGEST_INTERVAL);
        self
    }

    /// Sets when lists are doubted that suddenly lack most instances; see [`HoldBack`] for what it is
    /// unless set.
    pub fn hold_back(mut self, hold_back: HoldBack) -> Self {
        self.hold_back = hold_back;
        self
    }

    /// Logs in with a name and a password; without, etcd is used as it serves anyone.
    pub fn user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.credentials = Some(Credentials {
            user: name.into(),
            password: password.into(),
        });
        self
    }

    /// Connects with TLS.
    pub fn tls(mut self, tls: EtcdTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Keeps what is watched in this folder, for a start while etcd is away: a watch then begins with
    /// a snapshot that [says so](crate::Snapshot::is_restored). Nothing is kept unless set.
    ///
    /// Processes of one machine may share the folder.
    pub fn snapshots(mut self, folder: impl Into<PathBuf>) -> Self {
        self.snapshots = Some(folder.into());
        self
    }

    /// Sets where the jitter of pauses and intervals, the choice of the first member and the names of temporary files come
    /// from: [`Env::system`] unless set.
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// The registry; etcd is not connected to yet.
    ///
    /// # Errors
    ///
    /// [`RegistryError::InvalidSetting`] when there is no endpoint, when one is not `host:port`, when
    /// endpoints with and without TLS are mixed, or when the prefix cannot begin a key.
    pub fn build(self) -> Result<Etcd, RegistryError> {
        let endpoints = self
            .endpoints
            .iter()
            .map(|text| Endpoint::parse(text))
            .collect::<Result<Vec<_>, _>>()?;
        let tls = resolve_tls(&endpoints, self.tls)?;
        Ok(Etcd::new(Arc::new(Settings {
            endpoints,
            layout: Layout::new(&self.prefix)?,
            ttl: self.ttl,
            request_timeout: self.request_timeout,
            connect_timeout: self.connect_timeout,
            resync_interval: self.resync_interval,
            silence_limit: self.silence_limit,
            hold_back: self.hold_back,
            credentials: self.credentials,
            tls,
            snapshots: self.snapshots,
            env: self.env,
        })))
    }

    pub(super) fn new(endpoints: Vec<String>) -> Self {
        Self {
            endpoints,
            prefix: prefix::DEFAULT.to_owned(),
            ttl: 15 * SECOND,
            request_timeout: 3 * SECOND,
            connect_timeout: 3 * SECOND,
            resync_interval: 300 * SECOND,
            silence_limit: 60 * SECOND,
            hold_back: HoldBack::default(),
            credentials: None,
            tls: None,
            snapshots: None,
            env: Env::system(),
        }
    }
}

/// TLS as it was set, or as the endpoints ask for it.
fn resolve_tls(
    endpoints: &[Endpoint],
    tls: Option<EtcdTls>,
) -> Result<Option<EtcdTls>, RegistryError> {
    let Some(first) = endpoints.first() else {
        return Err(RegistryError::InvalidSetting {
            setting: "endpoint",
            value: String::new(),
            mend: "name at least one member of etcd, such as 10.0.0.1:2379",
        });
    };
    let wanted = tls.is_some() || first.tls() == Some(true);
    let odd = endpoints.iter().find(|endpoint| match endpoint.tls() {
        Some(said) => said != wanted,
        None => first.tls() == Some(true) && tls.is_none(),
    });
    if let Some(odd) = odd {
        return Err(RegistryError::InvalidSetting {
            setting: "endpoint",
            value: odd.to_string(),
            mend: "let all endpoints begin with https:// or none, and with none of http:// when TLS is set",
        });
    }
    Ok(wanted.then(|| tls.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(endpoints: &[&str]) -> Result<Etcd, RegistryError> {
        Etcd::builder(endpoints.iter().copied()).build()
    }

    #[test]
    fn endpoints_are_there_and_agree_on_tls() {
        assert!(built(&["a:1", "http://b:2"]).is_ok());
        assert!(built(&["https://a", "https://b"]).is_ok());
        for endpoints in [
            &[][..],
            &["a b"],
            &["https://a", "b"],
            &["https://a", "http://b"],
        ] {
            let error = built(endpoints).unwrap_err();
            assert!(
                matches!(error, RegistryError::InvalidSetting { .. }),
                "{error}"
            );
        }
        let refused = Etcd::builder(["http://a"]).tls(EtcdTls::new()).build();
        assert!(refused.is_err());
    }

    #[test]
    fn a_time_to_live_is_whole_seconds() {
        let ttl = |ttl| EtcdBuilder::new(Vec::new()).ttl(ttl).ttl;
        assert_eq!(ttl(Duration::ZERO), SECOND);
        assert_eq!(ttl(Duration::from_millis(1500)), 2 * SECOND);
        assert_eq!(ttl(Duration::MAX / 2), bounds::LONGEST_TTL);
    }

    #[test]
    fn a_password_is_not_shown() {
        let builder = Etcd::builder(["a"]).user("hr", "secret");
        assert!(!format!("{builder:?}{:?}", builder.clone().build()).contains("secret"));
    }
}
