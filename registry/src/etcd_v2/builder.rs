use std::sync::Arc;
use std::time::Duration;

use doge_base::Env;

use super::EtcdV2;
use super::layout::Layout;
use super::settings::Settings;
use crate::remote::endpoint::Endpoint;
use crate::remote::{bounds, prefix};
use crate::{HoldBack, RegistryError};

const SECOND: Duration = Duration::from_secs(1);
const LONGEST_SILENCE: Duration = Duration::from_secs(60 * 60);

/// Sets what an [`EtcdV2`] registry connects to, and its times.
///
/// ```
/// use std::time::Duration;
/// use doge_registry::EtcdV2;
///
/// let registry = EtcdV2::builder(["10.0.0.1:2379", "10.0.0.2:2379"])
///     .ttl(Duration::from_secs(30))
///     .meta(false)
///     .build()?;
/// # Ok::<(), doge_registry::RegistryError>(())
/// ```
#[must_use = "call build() to have the registry"]
#[derive(Clone, Debug)]
pub struct EtcdV2Builder {
    endpoints: Vec<String>,
    prefix: String,
    group: String,
    version: String,
    meta: bool,
    ttl: Duration,
    request_timeout: Duration,
    silence_limit: Duration,
    hold_back: HoldBack,
    env: Env,
}

impl EtcdV2Builder {
    /// Sets what all keys begin with: `/doge/rpc` unless set, as in doge. `/` stands for nothing.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the group that doge's services count as: `default` unless set. Doge has no groups, so there are no others.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// Sets the version that doge's services count as: `1` unless set. Doge has no versions, so there are no others.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets whether those who are found speak with the meta map: yes unless set.
    ///
    /// Doge from its repository does (`doge://HOST:PORT`); `dogerpc` 0.1.4 as published does not
    /// (`msgpack-rpc://HOST:PORT`).
    pub fn meta(mut self, meta: bool) -> Self {
        self.meta = meta;
        self
    }

    /// Sets how long the instances of this process stay registered after it died: 10 s unless set, as in doge; in whole
    /// seconds, kept between 1 s and an hour. They are refreshed every half of it or somewhat sooner.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = bounds::ttl(ttl);
        self
    }

    /// Sets how long one request to one member may take, connecting included: 3 s unless set, kept between 10 ms and
    /// 1 min.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = bounds::timeout(timeout);
        self
    }

    /// Sets how long nothing may be heard on a watch before the service is listed as a whole: 60 s unless set, kept
    /// between 100 ms and an hour. Without an answer within the request timeout, the watch moves to another member.
    pub fn silence_limit(mut self, limit: Duration) -> Self {
        self.silence_limit = bounds::silence(limit, LONGEST_SILENCE);
        self
    }

    /// Sets when lists are doubted that suddenly lack most instances: as [`HoldBack`] has it unless set, but for 6 s
    /// instead of 3. A server notices when it refreshes its key that it is gone, as after an etcd that lost its data, and
    /// that is every 5 s with the usual time to live.
    pub fn hold_back(mut self, hold_back: HoldBack) -> Self {
        self.hold_back = hold_back;
        self
    }

    /// Sets where the jitter of pauses and intervals and the choice of the first member come from: [`Env::system`] unless
    /// set.
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// The registry; etcd is not connected to yet.
    ///
    /// # Errors
    ///
    /// [`RegistryError::InvalidSetting`] when there is no endpoint, when one is not `host:port` or asks for TLS, or when
    /// the prefix cannot begin a key; [`RegistryError::InvalidName`] for the group or the version.
    pub fn build(self) -> Result<EtcdV2, RegistryError> {
        Ok(EtcdV2::new(Arc::new(self.settings()?)))
    }

    pub(super) fn new(endpoints: Vec<String>) -> Self {
        Self {
            endpoints,
            prefix: prefix::DEFAULT.to_owned(),
            group: "default".to_owned(),
            version: "1".to_owned(),
            meta: true,
            ttl: 10 * SECOND,
            request_timeout: 3 * SECOND,
            silence_limit: 60 * SECOND,
            hold_back: HoldBack {
                confirm_after: 6 * SECOND,
                ..HoldBack::default()
            },
            env: Env::system(),
        }
    }

    pub(super) fn settings(self) -> Result<Settings, RegistryError> {
        Ok(Settings {
            endpoints: endpoints_of(&self.endpoints)?,
            layout: Layout::new(&self.prefix, &self.group, &self.version)?,
            meta: self.meta,
            ttl: self.ttl,
            request_timeout: self.request_timeout,
            silence_limit: self.silence_limit,
            hold_back: self.hold_back,
            env: self.env,
        })
    }
}

fn endpoints_of(texts: &[String]) -> Result<Vec<Endpoint>, RegistryError> {
    let invalid = |value: &str, mend| RegistryError::InvalidSetting {
        setting: "endpoint",
        value: value.to_owned(),
        mend,
    };
    if texts.is_empty() {
        return Err(invalid(
            "",
            "name at least one member of etcd, such as 10.0.0.1:2379",
        ));
    }
    let mut endpoints = Vec::with_capacity(texts.len());
    for text in texts {
        let endpoint = Endpoint::parse(text)?;
        if endpoint.tls() == Some(true) {
            return Err(invalid(
                text,
                "the API of version 2 is spoken without TLS, as doge does; give it without https://",
            ));
        }
        endpoints.push(endpoint);
    }
    Ok(endpoints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_there_and_without_tls() {
        let built = |endpoints: &[&str]| EtcdV2::builder(endpoints.iter().copied()).build();
        assert!(built(&["a:1", "http://b:2", "[::1]"]).is_ok());
        for (endpoints, mend) in [
            (&[][..], "at least one"),
            (&["a b"], "host"),
            (&["https://a"], "TLS"),
        ] {
            let error = built(endpoints).unwrap_err();
            assert!(
                matches!(error, RegistryError::InvalidSetting { .. }),
                "{error}"
            );
            assert!(error.to_string().contains(mend), "{error}");
        }
    }

    /// Else an etcd that lost its data would leave no instances for a while.
    #[test]
    fn a_list_is_doubted_for_longer_than_a_server_needs_to_set_its_key_anew() {
        let builder = EtcdV2Builder::new(Vec::new());
        assert!(builder.hold_back.confirm_after > builder.ttl / 2);
    }

    /// Doge slept for no time at all between two heartbeats with a time to live of 1 s.
    #[test]
    fn a_time_to_live_is_whole_seconds() {
        let ttl = |ttl| EtcdV2Builder::new(Vec::new()).ttl(ttl).ttl;
        assert_eq!(ttl(Duration::ZERO), SECOND);
        assert_eq!(ttl(Duration::from_millis(1500)), 2 * SECOND);
        assert_eq!(ttl(Duration::MAX / 2), bounds::LONGEST_TTL);
    }

    #[test]
    fn group_and_version_are_names() {
        assert!(EtcdV2::builder(["a"]).group("a/b").build().is_err());
        assert!(EtcdV2::builder(["a"]).version("").build().is_err());
        assert!(EtcdV2::builder(["a"]).prefix("x").build().is_err());
    }
}
