use std::borrow::Cow;
use std::sync::Arc;

use thiserror::Error;

use crate::{File, Memory, Registry, Static};

/// Opens the registry that `url` names, as read from a setting.
///
/// | form | registry |
/// |---|---|
/// | `memory:` | a new [`Memory`]; share the handle, because a second call opens another one |
/// | `file:DIR` | [`File`] over the folder `DIR`, relative or absolute; `file:///DIR` works too |
/// | `static:ADDRESS,ADDRESS` | [`Static`] with these addresses for all services |
/// | `dns://NAME:PORT?OPTIONS`, `dns+srv://NAME?OPTIONS` | `Dns`, with the feature `dns`, by address or SRV records |
/// | `etcd://HOST:PORT,HOST:PORT/PREFIX?OPTIONS` | `Etcd`, with the feature `etcd`; `etcds://` for TLS |
/// | `etcd-v2://HOST:PORT,HOST:PORT/PREFIX?OPTIONS` | `EtcdV2`, with the feature `etcd-v2` |
///
/// Nothing is read, written or connected to yet.
///
/// The name of a `dns:` may hold the placeholders `{service}`, `{service.labels}`, `{service.reversed}`, `{group}` and
/// `{version}`. The options are `server`, the `IP:PORT` of a name server, as often as there are name servers to ask;
/// `dialect`, which is `native`, `doge` or `msgpack-rpc`; `refresh`, the shortest and the longest time between two looks,
/// as in `5s..5m`; and `timeout`. They are those of `DnsBuilder`, where the defaults are told.
///
/// Of an `etcd:` only one host is needed: the port is 2379 and the prefix `/doge/rpc` unless given, and a user
/// goes before the hosts as `USER:PASSWORD@`. The options, joined with `&`, are `ttl`, `timeout`,
/// `connect_timeout`, `resync`, `silence` and `confirm`, each a time such as `500ms`, `15s` or `5m`; `snapshots`, a
/// folder; and for `etcds:` the PEM files `ca`, `cert` and `key`, and `server_name`. They are those of
/// `EtcdBuilder`, where the defaults are told. What has a special meaning in a URL is percent-encoded.
///
/// An `etcd-v2:` is the same without user and TLS. Its options are `ttl`, `timeout`, `silence` and `confirm`;
/// `meta=no` for a fleet that speaks without the meta map; and `group` and `version`, which doge does not have. They
/// are those of `EtcdV2Builder`.
///
/// ```
/// let registry = doge_registry::open("static:tcp://10.0.0.1:4399,tcp://10.0.0.2:4399")?;
/// # Ok::<(), doge_registry::OpenError>(())
/// ```
///
/// # Errors
///
/// [`OpenError`] says what is wrong with `url` and which forms there are.
pub fn open(url: &str) -> Result<Arc<dyn Registry>, OpenError> {
    let fail = |reason: &'static str| OpenError::new(url, reason);
    match url.split_once(':') {
        Some(("memory", "")) => Ok(Arc::new(Memory::new())),
        Some(("memory", _)) => Err(fail("nothing may follow memory:")),
        Some(("file", folder)) => Ok(Arc::new(File::new(folder_of(folder).map_err(fail)?))),
        Some(("static", list)) => Ok(Arc::new(Static::addresses(
            addresses_of(list).map_err(fail)?,
        ))),
        #[cfg(feature = "dns")]
        Some((scheme @ ("dns" | "dns+srv"), rest)) => crate::dns::open(rest, scheme == "dns+srv")
            .map_err(|reason| OpenError::new(url, reason)),
        #[cfg(not(feature = "dns"))]
        Some(("dns" | "dns+srv", _)) => Err(fail(
            "this program was built without DNS; enable the feature `dns` of doge-rpc (or of doge-registry)",
        )),
        #[cfg(feature = "etcd")]
        Some((scheme @ ("etcd" | "etcds"), rest)) => {
            crate::etcd::open(rest, scheme == "etcds").map_err(|reason| OpenError::new(url, reason))
        }
        #[cfg(not(feature = "etcd"))]
        Some(("etcd" | "etcds", _)) => Err(fail(
            "this program was built without etcd; enable the feature `etcd` of doge-rpc (or of doge-registry)",
        )),
        #[cfg(feature = "etcd-v2")]
        Some(("etcd-v2", rest)) => {
            crate::etcd_v2::open(rest).map_err(|reason| OpenError::new(url, reason))
        }
        #[cfg(not(feature = "etcd-v2"))]
        Some(("etcd-v2", _)) => Err(fail(
            "this program was built without the old API of etcd; enable the feature `etcd-v2` of doge-rpc (or of doge-registry)",
        )),
        _ => Err(fail("this is none of the kinds of registry there are")),
    }
}

/// The text given to [`open`] names no registry.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "cannot open registry {url:?}: {reason}; accepted are memory:, file:DIR, \
     static:ADDRESS,ADDRESS (for example static:tcp://10.0.0.1:4399,tcp://10.0.0.2:4399), \
     dns://NAME:PORT and dns+srv://NAME (for example dns://{{service}}.hr.svc:4399), \
     etcd://HOST:PORT,HOST:PORT (for example etcd://10.0.0.1:2379,10.0.0.2:2379/doge/rpc?ttl=15s), \
     and etcd-v2://HOST:PORT,HOST:PORT, the registry of Python doge (for example etcd-v2://10.0.0.1:2379?meta=no)"
)]
pub struct OpenError {
    url: String,
    reason: Cow<'static, str>,
}

impl OpenError {
    /// The text that was given, without its password if it has one.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    fn new(url: &str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            url: without_password(url),
            reason: reason.into(),
        }
    }
}

/// Errors are logged, and passwords must not be.
fn without_password(url: &str) -> String {
    let named = url
        .split_once("://")
        .filter(|(scheme, _)| scheme.starts_with("etcd"));
    let Some((scheme, rest)) = named else {
        return url.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((user, hosts)) => {
            let name = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{name}:***@{hosts}")
        }
        None => url.to_owned(),
    }
}

fn folder_of(folder: &str) -> Result<&str, &'static str> {
    match folder.strip_prefix("//") {
        None if folder.is_empty() => Err("the folder is missing"),
        None => Ok(folder),
        Some(absolute) if absolute.starts_with('/') => Ok(absolute),
        Some(_) => Err("file:// names a host, and only folders of this machine can be opened"),
    }
}

fn addresses_of(list: &str) -> Result<Vec<&str>, &'static str> {
    let addresses: Vec<&str> = list.split(',').map(str::trim).collect();
    if addresses.contains(&"") {
        return Err("an address is empty");
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_relative_absolute_or_a_local_url() {
        assert_eq!(folder_of("run/doge"), Ok("run/doge"));
        assert_eq!(folder_of("/run/doge"), Ok("/run/doge"));
        assert_eq!(folder_of("///run/doge"), Ok("/run/doge"));
        assert!(folder_of("//host/doge").is_err());
        assert!(folder_of("").is_err());
    }

    #[test]
    fn a_password_is_not_repeated() {
        for (url, shown) in [
            ("etcd://hr:se@cret@a:1/p?x=y", "etcd://hr:***@a:1/p?x=y"),
            ("etcds://hr@a", "etcds://hr:***@a"),
            ("etcd://a:1", "etcd://a:1"),
            ("static:tcp://a@b:1", "static:tcp://a@b:1"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn addresses_are_split_at_commas() {
        assert_eq!(
            addresses_of("tcp://[::1]:1, unix:///x"),
            Ok(vec!["tcp://[::1]:1", "unix:///x"])
        );
        assert!(addresses_of("").is_err());
        assert!(addresses_of("tcp://a:1,").is_err());
    }
}
