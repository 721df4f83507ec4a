use doge_registry::{Instance, ServiceKey};
use doge_rpc_core::{
    schema::ServiceSchema,
    transport::{Address, AddressError, IntoAddress},
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
    /// # Errors
    ///
    /// When a text is no address.
    pub fn address(mut self, address: impl IntoAddress) -> Result<Self, AddressError> {
        self.address = Some(address.into_address()?);
        Ok(self)
    }

    /// The instance of a service that listens at an address.
    pub(crate) fn instance(
        &self,
        schema: &ServiceSchema,
        listening: &Address,
    ) -> Result<Instance, StartError> {
        let address = self.address.as_ref().unwrap_or(listening);
        if is_unspecified(address) {
            return Err(StartError::Unspecified(address.clone()));
        }
        let key = ServiceKey::new(schema.name())
            .with_group(&self.group)
            .with_version(schema.version());
        let mut instance = Instance::new(key, address.to_string()).with_weight(self.weight);
        if let Some(zone) = &self.zone {
            instance = instance.with_zone(zone);
        }
        Ok(self.tags.iter().fold(instance, |instance, (key, value)| {
            instance.with_tag(key, value)
        }))
    }
}

fn is_unspecified(address: &Address) -> bool {
    match address {
        Address::Tcp(text) => text
            .parse::<std::net::SocketAddr>()
            .is_ok_and(|socket| socket.ip().is_unspecified()),
        _ => false,
    }
}
