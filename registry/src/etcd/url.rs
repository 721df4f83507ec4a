use std::sync::Arc;

use super::builder::EtcdBuilder;
use super::tls::EtcdTls;
use crate::remote::url::{Parts, refusal, time};
use crate::{Etcd, HoldBack, Registry};

/// Opens `//[USER:PASSWORD@]HOST:PORT,HOST:PORT[/PREFIX][?OPTION=VALUE&...]`, which is what follows `etcd:` or `etcds:`.
pub(crate) fn open(rest: &str, tls: bool) -> Result<Arc<dyn Registry>, String> {
    Ok(Arc::new(parse(rest, tls)?))
}

fn parse(rest: &str, tls: bool) -> Result<Etcd, String> {
    let parts = Parts::of(rest)?;
    let mut builder = Etcd::builder(parts.hosts);
    if let Some(prefix) = parts.prefix {
        builder = builder.prefix(prefix);
    }
    if let Some((name, password)) = parts.user {
        builder = builder.user(name, password);
    }
    let mut files = Files::default();
    for (name, value) in parts.options {
        builder = with_option(builder, &mut files, name, value)?;
    }
    if let Some(tls) = files.tls(tls)? {
        builder = builder.tls(tls);
    }
    builder.build().map_err(|error| refusal(&error))
}

fn with_option(
    builder: EtcdBuilder,
    files: &mut Files,
    name: &str,
    value: String,
) -> Result<EtcdBuilder, String> {
    let time = || time(name, &value);
    Ok(match name {
        "ttl" => builder.ttl(time()?),
        "timeout" => builder.request_timeout(time()?),
        "connect_timeout" => builder.connect_timeout(time()?),
        "resync" => builder.resync_interval(time()?),
        "silence" => builder.silence_limit(time()?),
        "confirm" => builder.hold_back(HoldBack {
            confirm_after: time()?,
            ..HoldBack::default()
        }),
        "snapshots" => builder.snapshots(value),
        "ca" => {
            files.ca = Some(value);
            builder
        }
        "cert" => {
            files.certificate = Some(value);
            builder
        }
        "key" => {
            files.key = Some(value);
            builder
        }
        "server_name" => {
            files.server_name = Some(value);
            builder
        }
        _ => {
            return Err(format!(
                "{name:?} is no option; there are ttl, timeout, connect_timeout, resync, silence, confirm, snapshots, \
                 and for etcds: ca, cert, key, server_name"
            ));
        }
    })
}

/// The options for TLS.
#[derive(Default)]
struct Files {
    ca: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
    server_name: Option<String>,
}

impl Files {
    fn tls(self, wanted: bool) -> Result<Option<EtcdTls>, String> {
        let some = self.ca.is_some()
            || self.certificate.is_some()
            || self.key.is_some()
            || self.server_name.is_some();
        if !wanted {
            return if some {
                Err("ca, cert, key and server_name are for etcds:// only".to_owned())
            } else {
                Ok(None)
            };
        }
        let mut tls = EtcdTls::new();
        if let Some(ca) = self.ca {
            tls = tls.ca_file(ca);
        }
        if let Some(name) = self.server_name {
            tls = tls.server_name(name);
        }
        match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => Ok(Some(tls.identity_files(certificate, key))),
            (None, None) => Ok(Some(tls)),
            _ => Err("cert and key belong together".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn all_of_it_is_read() {
        let etcd = parse(
            "//hr:s%40cret@a:1,[::1]/my/prefix?ttl=30s&timeout=500ms&confirm=1m&snapshots=/var/x%20y",
            false,
        )
        .unwrap();
        let settings = etcd.members.settings();
        assert_eq!(settings.named_endpoints(), "a:1, [::1]:2379");
        assert_eq!(
            settings.layout,
            super::super::layout::Layout::new("/my/prefix").unwrap()
        );
        assert_eq!(settings.ttl, Duration::from_secs(30));
        assert_eq!(settings.request_timeout, Duration::from_millis(500));
        assert_eq!(settings.hold_back.confirm_after, Duration::from_secs(60));
        assert_eq!(settings.snapshots.as_deref(), Some("/var/x y".as_ref()));
        let user = settings.credentials.as_ref().unwrap();
        assert_eq!(
            (user.user.as_str(), user.password.as_str()),
            ("hr", "s@cret")
        );
        assert!(settings.tls.is_none());
    }

    #[test]
    fn a_second_letter_s_stands_for_tls() {
        let tls = |rest| {
            parse(rest, true)
                .unwrap()
                .members
                .settings()
                .tls
                .clone()
                .unwrap()
        };
        assert_eq!(tls("//a"), EtcdTls::new());
        let expected = EtcdTls::new()
            .ca_file("/c")
            .identity_files("/x", "/k")
            .server_name("n");
        assert_eq!(tls("//a?ca=/c&cert=/x&key=/k&server_name=n"), expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (rest, part) in [
            ("a:1", "slashes"),
            ("//", "endpoint"),
            ("//a b", "endpoint"),
            ("//hr@a", "password"),
            ("//a?ttl", "ttl"),
            ("//a?ttl=15", "15s"),
            ("//a?ttl=s", "15s"),
            ("//a?tls=1", "connect_timeout"),
            ("//a?ca=/c", "etcds"),
            ("//a//b", "prefix"),
            ("//a?ttl=%ff", "UTF-8"),
            ("//hr:pa/ss@a", "percent-encode the password"),
            ("//hr:pa?ss@a", "percent-encode the password"),
            ("//hr:p@a/ss@a", "percent-encode the password"),
        ] {
            let error = parse(rest, false).unwrap_err();
            assert!(error.contains(part), "{rest}: {error}");
        }
        assert!(parse("//a?cert=/c", true).unwrap_err().contains("key"));
    }
}
