use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use doge_base::Dialect;
use percent_encoding::percent_decode_str;

use super::builder::DnsBuilder;
use crate::remote::url::{Parts, refusal, time};
use crate::{Dns, Registry};

const DNS_PORT: u16 = 53;
const DIALECTS: [Dialect; 3] = [Dialect::Native, Dialect::Doge, Dialect::MsgpackRpc];

/// Opens `//NAME:PORT[?OPTION=VALUE&...]`, which is what follows `dns:`, or the same without port, which is what follows
/// `dns+srv:`.
pub(crate) fn open(rest: &str, srv: bool) -> Result<Arc<dyn Registry>, String> {
    let registry = parse(rest, srv)?.build().map_err(|error| refusal(&error))?;
    Ok(Arc::new(registry))
}

fn parse(rest: &str, srv: bool) -> Result<DnsBuilder, String> {
    let parts = Parts::of(rest)?;
    if parts.user.is_some() {
        return Err("DNS has no users; leave out what is before the @".to_owned());
    }
    if parts.prefix.is_some() {
        return Err("nothing may follow the name and the port but options".to_owned());
    }
    let [host] = parts.hosts[..] else {
        return Err("there can be one name only; combine registries with Several".to_owned());
    };
    let host = percent_decode_str(host)
        .decode_utf8()
        .map_err(|_| "what is percent-encoded has to be UTF-8")?;
    let mut builder = if srv {
        if host.contains(':') {
            return Err("a name of SRV records has no port: the records have".to_owned());
        }
        Dns::srv(host)
    } else {
        let (name, port) = host
            .rsplit_once(':')
            .ok_or("a port has to follow the name, as in dns://employee.hr.svc:4399")?;
        Dns::addresses(name, port_of(port)?)
    };
    for (name, value) in parts.options {
        builder = with_option(builder, name, &value)?;
    }
    Ok(builder)
}

fn with_option(builder: DnsBuilder, name: &str, value: &str) -> Result<DnsBuilder, String> {
    Ok(match name {
        "server" => builder.server(server_of(value)?),
        "dialect" => {
            let dialect = DIALECTS.into_iter().find(|it| it.name() == value);
            builder.dialect(dialect.ok_or_else(|| {
                format!("dialect={value} is none of native, doge and msgpack-rpc")
            })?)
        }
        "refresh" => {
            let (shortest, longest) = bounds_of(value)?;
            builder.refresh(shortest, longest)
        }
        "timeout" => builder.timeout(time("timeout", value)?),
        _ => {
            return Err(format!(
                "{name:?} is no option; there are server, dialect, refresh and timeout"
            ));
        }
    })
}

fn port_of(text: &str) -> Result<u16, String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|_| digits);
    port.ok_or_else(|| format!("the port {text:?} is no number from 1 to 65535"))
}

/// An IP address, with a port or without.
fn server_of(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let ip = bare.unwrap_or(text).parse::<IpAddr>();
    let server = ip.map(|ip| SocketAddr::new(ip, DNS_PORT));
    server.or_else(|_| text.parse()).map_err(|_| {
        format!("server={text} is no IP address and port, such as 10.0.0.10:53 or [fd00::10]:53")
    })
}

/// `SHORTEST..LONGEST`, or a time that is both.
fn bounds_of(text: &str) -> Result<(Duration, Duration), String> {
    let (shortest, longest) = text.split_once("..").unwrap_or((text, text));
    let bounds = (time("refresh", shortest)?, time("refresh", longest)?);
    if bounds.0 > bounds.1 {
        return Err(format!(
            "refresh={text} begins with the longer time; write SHORTEST..LONGEST, as in 5s..5m"
        ));
    }
    Ok(bounds)
}

#[cfg(test)]
mod tests {
    use super::super::settings::Records;
    use super::*;

    #[test]
    fn all_of_it_is_read() {
        let settings = parse(
            "//%7Bservice%7D.hr.svc:7000?server=10.0.0.10&server=[::1]:5353&dialect=doge&refresh=1s..30s&timeout=500ms",
            false,
        )
        .and_then(|builder| builder.settings().map_err(|error| refusal(&error)))
        .unwrap();
        assert_eq!(settings.to_string(), "dns://{service}.hr.svc:7000");
        let servers: Vec<_> = settings.servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["10.0.0.10:53", "[::1]:5353"]);
        assert_eq!(settings.dialect, Dialect::Doge);
        assert_eq!(settings.shortest, Duration::from_secs(1));
        assert_eq!(settings.longest, Duration::from_secs(30));
        assert_eq!(settings.timeout, Duration::from_millis(500));
    }

    #[test]
    fn a_name_of_srv_records_has_no_port() {
        let builder = parse("//_doge._tcp.{service}.hr?refresh=10s", true).unwrap();
        let settings = builder.settings().unwrap();
        assert_eq!(settings.records, Records::Srv);
        assert_eq!(
            (settings.shortest, settings.longest),
            (Duration::from_secs(10), Duration::from_secs(10))
        );
        assert!(parse("//a:1", true).unwrap_err().contains("no port"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (rest, part) in [
            ("a:1", "slashes"),
            ("//", "port"),
            ("//a", "port"),
            ("//a:0", "port"),
            ("//a:x", "port"),
            ("//a:+1", "port"),
            ("//a:65536", "65535"),
            ("//:1", "name"),
            ("//a b:1", "DNS name"),
            ("//{x}:1", "{service}"),
            ("//a:1,b:2", "Several"),
            ("//[::1]:1", "DNS name"),
            ("//10.0.0.1:1", "static:"),
            ("//hr:secret@a:1", "users"),
            ("//a:1/b", "options"),
            ("//a:1?server=x", "10.0.0.10:53"),
            ("//a:1?server=10.0.0.1:0", "53"),
            ("//a:1?dialect=http", "msgpack-rpc"),
            ("//a:1?refresh=5", "500ms"),
            ("//a:1?refresh=5m..5s", "SHORTEST..LONGEST"),
            ("//a:1?ttl=5s", "refresh"),
            ("//%ff:1", "UTF-8"),
        ] {
            let error = open(rest, false).unwrap_err();
            assert!(error.contains(part), "{rest}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
