use doge_base::Env;
use doge_registry::{Instance, ServiceKey};
use doge_rpc_core::{
    schema::ServiceSchema,
    transport::{Address, AddressError, Dialect, IntoAddress, Location},
};

use crate::StartError;

/// How a server's instances appear in a registry.
///
/// ```
/// use doge_rpc_server::Advertise;
///
/// let advertise = Advertise::new().group("canary").weight(10).zone("eu-1");
/// ```
#[derive(Clone, Debug)]
pub struct Advertise {
    group: String,
    weight: u32,
    zone: Option<String>,
    tags: Vec<(String, String)>,
    address: Option<Address>,
}

impl Default for Advertise {
    fn default() -> Self {
        Self {
            group: "default".to_owned(),
            weight: 100,
            zone: None,
            tags: Vec::new(),
            address: None,
        }
    }
}

impl Advertise {
    /// Group `default`, weight 100, no zone, no tags, the address that the server listens at.
    pub fn new() -> Self {
        Self::default()
    }

    /// The group: clients of another group do not see the instance.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// The share of calls, relative to the other instances; 100 is the usual one.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Where the instance runs, for clients that prefer what is near.
    #[must_use]
    pub fn zone(mut self, zone: impl Into<String>) -> Self {
        self.zone = Some(zone.into());
        self
    }

    /// Anything else that clients select by.
    #[must_use]
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push((key.into(), value.into()));
        self
    }

    /// Where others can connect to, when that is not where the server listens: containers, NAT.
    ///
    /// Of several addresses that a server listens at, the first counts.
    ///
    /// At `doge://` and `msgpack-rpc://` only the default service of the port can be registered.
    ///
    /// Port 0 stands for the port that the server listens at, for when the system chooses it:
    ///
    /// ```
    /// use doge_rpc_server::Advertise;
    ///
    /// let behind_nat = Advertise::new().address("tcp://employee.example:14399")?;
    /// // The server listens at `tcp://0.0.0.0:0`.
    /// let in_a_container = Advertise::new().address("tcp://10.1.2.3:0")?;
    /// # Ok::<(), doge_rpc_core::transport::AddressError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When a text is no address.
    pub fn address(mut self, address: impl IntoAddress) -> Result<Self, AddressError> {
        self.address = Some(address.into_address()?);
        Ok(self)
    }

    /// The instance of a service that listens at an address. It is `native_only` when it is not the service that a method
    /// without one belongs to there.
    pub(crate) fn instance(
        &self,
        schema: &ServiceSchema,
        listening: &Address,
        native_only: bool,
        env: &Env,
    ) -> Result<Instance, StartError> {
        let address = match &self.address {
            Some(advertised) => with_port_of(advertised, listening),
            None => listening.clone(),
        };
        if address.location().is_unspecified() {
            return Err(StartError::Unspecified(address));
        }
        if native_only && address.dialect() != Dialect::Native {
            return Err(StartError::NotDefaultService {
                service: schema.name().to_owned(),
                address,
            });
        }
        let key = ServiceKey::new(schema.name())
            .with_group(&self.group)
            .with_version(schema.version());
        let mut instance = Instance::new_in(env, key, address.to_string()).with_weight(self.weight);
        if let Some(zone) = &self.zone {
            instance = instance.with_zone(zone);
        }
        if native_only {
            instance = instance.with_native_only();
        }
        Ok(self.tags.iter().fold(instance, |instance, (key, value)| {
            instance.with_tag(key, value)
        }))
    }
}

/// The advertised address, with the port that the server listens at in the place of port 0.
fn with_port_of(advertised: &Address, listening: &Address) -> Address {
    match (advertised.location(), listening.location()) {
        (Location::Tcp(place), Location::Tcp(listening)) if place.port() == 0 => {
            let place = place.with_port(listening.port());
            advertised.clone().with_location(Location::Tcp(place))
        }
        _ => advertised.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advertised(advertise: Advertise, listening: &str) -> Result<String, StartError> {
        let instance =
            advertise.instance(&SCHEMA, &listening.parse().unwrap(), false, &Env::system())?;
        Ok(instance.address().to_owned())
    }

    const SCHEMA: ServiceSchema = ServiceSchema::new("hr.employee", "1", "", &[]);

    /// Whoever calls it there by the name of a method alone would reach another service.
    #[test]
    fn only_the_default_service_is_at_an_address_of_message_pack_rpc() {
        let listening = "tcp://10.0.0.1:4399".parse().unwrap();
        for address in ["doge://10.0.0.1:4399", "msgpack-rpc://10.0.0.1:4399"] {
            let advertise = Advertise::new().address(address).unwrap();
            let default = advertise
                .instance(&SCHEMA, &listening, false, &Env::system())
                .unwrap();
            assert_eq!(default.address(), address);
            let refused = advertise
                .instance(&SCHEMA, &listening, true, &Env::system())
                .unwrap_err();
            let refused = refused.to_string();
            for part in ["hr.employee", address, "default_service"] {
                assert!(refused.contains(part), "{refused}");
            }
        }
        let native = Advertise::new().instance(&SCHEMA, &listening, true, &Env::system());
        assert!(native.unwrap().is_native_only());
    }

    #[test]
    fn without_another_address_it_is_the_one_listened_at() {
        for listening in ["tcp://10.0.0.1:4399", "tcp://[::1]:4399", "unix:///run/x"] {
            assert_eq!(advertised(Advertise::new(), listening).unwrap(), listening);
        }
    }

    #[test]
    fn port_0_is_the_one_listened_at() {
        for (address, listening, expected) in [
            (
                "tcp://10.1.2.3:0",
                "tcp://0.0.0.0:4399",
                "tcp://10.1.2.3:4399",
            ),
            (
                "tcp://[2001:db8::1]:0",
                "tcp://[::]:4399",
                "tcp://[2001:db8::1]:4399",
            ),
            (
                "tcp://e.example:0",
                "tcp://127.0.0.1:4399",
                "tcp://e.example:4399",
            ),
            (
                "tcp://e.example:80",
                "tcp://0.0.0.0:4399",
                "tcp://e.example:80",
            ),
            ("tcp://e.example:80", "unix:///run/x", "tcp://e.example:80"),
            (
                "doge://e.example:0",
                "tcp://0.0.0.0:4399",
                "doge://e.example:4399",
            ),
        ] {
            let advertise = Advertise::new().address(address).unwrap();
            assert_eq!(advertised(advertise, listening).unwrap(), expected);
        }
    }

    #[test]
    fn what_nobody_elsewhere_can_connect_to_is_refused() {
        for (address, listening) in [
            (None, "tcp://0.0.0.0:4399"),
            (None, "tcp://[::]:4399"),
            (Some("tcp://[::]:80"), "tcp://10.0.0.1:4399"),
            (Some("tcp://e.example:0"), "unix:///run/x"),
        ] {
            let advertise = match address {
                Some(address) => Advertise::new().address(address).unwrap(),
                None => Advertise::new(),
            };
            let error = advertised(advertise, listening).unwrap_err();
            assert!(matches!(error, StartError::Unspecified(_)), "{error}");
        }
    }
}
