use doge_base::{Address, AddressError, Dialect, HostPort, Location};

use crate::RegistryError;

/// The value of an instance at `address`: `host:port`, as doge has it, for whoever speaks doge's dialect there.
///
/// A server at `tcp://` speaks it next to its own.
pub(super) fn encode(address: &str) -> Result<String, RegistryError> {
    const HOST_AND_PORT: &str = "Python doge connects to a host and a port, so advertise tcp://, doge:// or msgpack-rpc://HOST:PORT";
    let refused = |mend| RegistryError::CannotHold {
        part: "address",
        value: address.to_owned(),
        mend,
    };
    let parsed: Address = address.parse().map_err(|error| {
        refused(match error {
            AddressError::HostPort { .. } | AddressError::Empty(_) => {
                "let a host and a port follow the scheme, such as tcp://10.0.0.1:4399"
            }
            _ => HOST_AND_PORT,
        })
    })?;
    let Location::Tcp(place) = parsed.location() else {
        return Err(refused(HOST_AND_PORT));
    };
    if place.host().contains(':') {
        return Err(refused(
            "Python doge splits it at its only colon, so advertise an IPv4 address or a host name instead of IPv6",
        ));
    }
    if place.is_unspecified() {
        return Err(refused(
            "let a host and a port that others can connect to follow the scheme, such as tcp://10.0.0.1:4399",
        ));
    }
    Ok(place.to_string())
}

/// The address that a value stands for; none if it is no `host:port`.
pub(super) fn decode(value: &str, meta: bool) -> Option<String> {
    let place: HostPort = value.trim().parse().ok()?;
    let dialect = if meta {
        Dialect::Doge
    } else {
        Dialect::MsgpackRpc
    };
    (!place.is_unspecified()).then(|| Address::tcp(place).with_dialect(dialect).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_doge_client_can_connect_to_is_host_and_port() {
        for address in [
            "tcp://10.0.0.1:4399",
            "doge://10.0.0.1:4399",
            "msgpack-rpc://10.0.0.1:4399",
        ] {
            assert_eq!(encode(address).unwrap(), "10.0.0.1:4399");
        }
        assert_eq!(encode("tcp://employee-1.hr:1").unwrap(), "employee-1.hr:1");
    }

    /// Doge splits at the colon, whichever there are.
    #[test]
    fn what_it_cannot_connect_to_is_refused_with_the_mend() {
        for (address, mend) in [
            ("tcp://[::1]:4399", "IPv4"),
            ("tcp://::1:4399", "follow the scheme"),
            ("tcp://a", "follow the scheme"),
            ("tcp://a:0", "follow the scheme"),
            ("unix:///run/x", "tcp://"),
            ("10.0.0.1:4399", "tcp://"),
            ("", "tcp://"),
        ] {
            let error = encode(address).unwrap_err();
            assert!(
                matches!(error, RegistryError::CannotHold { .. }),
                "{error:?}"
            );
            let text = error.to_string();
            assert!(text.contains(mend), "{text}");
        }
    }

    #[test]
    fn a_value_is_an_address_of_the_dialect_of_the_fleet() {
        assert_eq!(decode("a:1", true).as_deref(), Some("doge://a:1"));
        assert_eq!(
            decode(" a:1\n", false).as_deref(),
            Some("msgpack-rpc://a:1")
        );
        for foreign in ["", "a", "{}", "tcp://a:1", "a b:1", "a:99999", "::1:1"] {
            assert_eq!(decode(foreign, true), None, "{foreign:?}");
        }
    }
}
