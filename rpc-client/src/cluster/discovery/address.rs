use doge_registry::Instance;
use doge_rpc_core::transport::{Address, AddressError};

/// Where an instance is called. One that says no more than `host:port` is a process of Python doge, which registers so.
pub(super) fn address_of(instance: &Instance) -> Result<Address, AddressError> {
    let text = instance.address();
    let bare = || format!("doge://{text}").parse();
    if text.contains("://") {
        return text.parse();
    }
    bare().or_else(|_: AddressError| text.parse())
}

/// What an address is known by, whatever is spoken there: of one that has a host, the host and the port.
pub(super) fn authority_of(instance: &Instance) -> &str {
    let text = instance.address();
    match text.split_once("://") {
        Some(("tcp" | "doge" | "msgpack-rpc", place)) => place,
        _ => text,
    }
}

/// Whether the native protocol is spoken there.
pub(super) fn is_native(instance: &Instance) -> bool {
    let scheme = instance.address().split_once("://");
    scheme.is_some_and(|(scheme, _)| !matches!(scheme, "doge" | "msgpack-rpc"))
}

#[cfg(test)]
mod tests {
    use doge_registry::{Instance, ServiceKey};

    use super::{address_of, authority_of, is_native};

    #[test]
    fn an_address_says_what_is_spoken_there_and_a_bare_one_means_doge() {
        for (text, address, place, native) in [
            ("tcp://a:1", Some("tcp://a:1"), "a:1", true),
            ("doge://a:1", Some("doge://a:1"), "a:1", false),
            ("msgpack-rpc://a:1", Some("msgpack-rpc://a:1"), "a:1", false),
            (
                "10.0.0.1:4399",
                Some("doge://10.0.0.1:4399"),
                "10.0.0.1:4399",
                false,
            ),
            ("[::1]:4399", Some("doge://[::1]:4399"), "[::1]:4399", false),
            (
                "unix:///run/x",
                Some("unix:///run/x"),
                "unix:///run/x",
                true,
            ),
            ("memory://x", Some("memory://x"), "memory://x", true),
            ("nonsense", None, "nonsense", false),
        ] {
            let instance = Instance::new(ServiceKey::new("hr.employee"), text);
            let parsed = address_of(&instance).ok().map(|it| it.to_string());
            assert_eq!(parsed.as_deref(), address);
            assert_eq!(
                (authority_of(&instance), is_native(&instance)),
                (place, native),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_named_as_it_is_registered() {
        let instance = Instance::new(ServiceKey::new("hr.employee"), "nonsense");
        let error = address_of(&instance).unwrap_err().to_string();
        assert!(
            error.starts_with("address \"nonsense\": write tcp://"),
            "{error}"
        );
    }
}
