use std::sync::Arc;

use super::builder::EtcdV2Builder;
use crate::remote::url::{Parts, refusal, time};
use crate::{EtcdV2, HoldBack, Registry};

/// Opens `//HOST:PORT,HOST:PORT[/PREFIX][?OPTION=VALUE&...]`, which is what follows `etcd-v2:`.
pub(crate) fn open(rest: &str) -> Result<Arc<dyn Registry>, String> {
    let registry = parse(rest)?.build().map_err(|error| refusal(&error))?;
    Ok(Arc::new(registry))
}

fn parse(rest: &str) -> Result<EtcdV2Builder, String> {
    let parts = Parts::of(rest)?;
    if parts.user.is_some() {
        return Err("doge knows no users of etcd, and neither does etcd-v2:; leave out what is before the @".to_owned());
    }
    let mut builder = EtcdV2::builder(parts.hosts);
    if let Some(prefix) = parts.prefix {
        builder = builder.prefix(prefix);
    }
    for (name, value) in parts.options {
        builder = with_option(builder, name, value)?;
    }
    Ok(builder)
}

fn with_option(builder: EtcdV2Builder, name: &str, value: String) -> Result<EtcdV2Builder, String> {
    let time = || time(name, &value);
    Ok(match name {
        "ttl" => builder.ttl(time()?),
        "timeout" => builder.request_timeout(time()?),
        "silence" => builder.silence_limit(time()?),
        "confirm" => builder.hold_back(HoldBack {
            confirm_after: time()?,
            ..HoldBack::default()
        }),
        "meta" => builder.meta(match value.as_str() {
            "yes" => true,
            "no" => false,
            _ => return Err(format!("meta={value} is neither meta=yes nor meta=no")),
        }),
        "group" => builder.group(value),
        "version" => builder.version(value),
        _ => {
            return Err(format!(
                "{name:?} is no option; there are ttl, timeout, silence, confirm, meta, group and version"
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ServiceKey;

    #[test]
    fn all_of_it_is_read() {
        let settings = parse(
            "//a:1,[::1]/my/prefix?ttl=30s&timeout=500ms&silence=5m&confirm=1m&meta=no&group=g&version=2",
        )
        .and_then(|builder| builder.settings().map_err(|error| refusal(&error)))
        .unwrap();
        assert_eq!(settings.named_endpoints(), "a:1, [::1]:2379");
        let key = ServiceKey::new("s").with_group("g").with_version("2");
        assert!(settings.layout.has(&key));
        assert_eq!(settings.layout.service(&key), "/my/prefix/s");
        assert_eq!(settings.ttl, Duration::from_secs(30));
        assert_eq!(settings.request_timeout, Duration::from_millis(500));
        assert_eq!(settings.silence_limit, Duration::from_secs(300));
        assert_eq!(settings.hold_back.confirm_after, Duration::from_secs(60));
        assert!(!settings.meta);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (rest, part) in [
            ("a:1", "slashes"),
            ("//", "endpoint"),
            ("//https://a", "endpoint"),
            ("//hr:secret@a", "users"),
            ("//a?ttl", "ttl"),
            ("//a?ttl=15", "15s"),
            ("//a?meta=maybe", "meta=yes"),
            ("//a?resync=1s", "silence"),
            ("//a?group=a%2Fb", "group"),
            ("//a//b", "prefix"),
        ] {
            let error = open(rest).unwrap_err();
            assert!(error.contains(part), "{rest}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
