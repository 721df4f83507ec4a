use std::collections::BTreeMap;

use doge_base::Env;
use serde::{Deserialize, Serialize};

use crate::ServiceKey;

const DEFAULT_WEIGHT: u32 = 100;

/// The tag that says in which dialects a service is called, where that is not all of them.
const DIALECTS: &str = "dialects";
const NATIVE: &str = "native";

/// The tag, beside a weight of 0, that says that the instance is about to leave.
#[cfg(feature = "etcd")]
const LEAVING: (&str, &str) = ("leaving", "yes");

/// One process that serves a service, as the registry knows it.
///
/// ```
/// use doge_registry::{Instance, ServiceKey};
///
/// let instance = Instance::new(ServiceKey::new("hr.employee"), "tcp://127.0.0.1:4399")
///     .with_weight(50)
///     .with_zone("a")
///     .with_tag("build", "412");
/// assert_eq!(instance.zone(), Some("a"));
/// assert_eq!(instance.tags()["build"], "412");
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Instance {
    id: String,
    key: ServiceKey,
    address: String,
    #[serde(default = "default_weight")]
    weight: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    #[serde(skip)]
    origin: Origin,
}

/// Who says that an instance is there, which decides what its address may be.
///
/// ```
/// use doge_registry::{Instance, Origin, ServiceKey};
///
/// let instance = Instance::new(ServiceKey::new("hr.employee"), "tcp://10.0.0.1:4399");
/// assert_eq!(instance.origin(), Origin::Configured);
/// let found = instance.with_origin(Origin::SharedRegistry);
/// assert_eq!(found.origin(), Origin::SharedRegistry);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The configuration of the process: it says where and how to call.
    #[default]
    Configured,
    /// A registry that other processes write to over a network: it says where to call, never how.
    SharedRegistry,
}

/// Instances are equal that say the same of themselves, whoever says that they are there.
impl PartialEq for Instance {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            id,
            key,
            address,
            weight,
            zone,
            tags,
            origin: _,
        } = self;
        *id == other.id
            && *key == other.key
            && *address == other.address
            && *weight == other.weight
            && *zone == other.zone
            && *tags == other.tags
    }
}

impl Eq for Instance {}

impl Instance {
    /// An instance of `key` at `address`, with a new random id and weight 100.
    ///
    /// The address is not interpreted here: `tcp://127.0.0.1:4399` and `unix:///run/hr.sock` are
    /// alike to a registry, and so is `doge://127.0.0.1:4399`, where MessagePack-RPC is spoken as
    /// by Python doge. To clients a bare `127.0.0.1:4399` means that, too.
    pub fn new(key: ServiceKey, address: impl Into<String>) -> Self {
        Self::new_in(&Env::system(), key, address)
    }

    /// Like [`new`](Self::new), with an id that is drawn from `env`: the same one in each run of a seed.
    ///
    /// ```
    /// use doge_registry::{Env, Instance, ServiceKey};
    ///
    /// let made = |seed| Instance::new_in(&Env::seeded(seed), ServiceKey::new("hr.employee"), "tcp://127.0.0.1:4399");
    /// assert_eq!(made(7), made(7));
    /// assert_ne!(made(7), made(8));
    /// ```
    pub fn new_in(env: &Env, key: ServiceKey, address: impl Into<String>) -> Self {
        Self::with_id(env.uuid().to_string(), key, address)
    }

    /// Sets the share of calls this instance is to get, relative to the others.
    #[must_use]
    pub fn with_weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Sets the zone (data centre, rack) the instance runs in.
    #[must_use]
    pub fn with_zone(mut self, zone: impl Into<String>) -> Self {
        self.zone = Some(zone.into());
        self
    }

    /// Adds a tag, or replaces the one of the same name.
    #[must_use]
    pub fn with_tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// Says that its service is called in the native protocol only.
    ///
    /// A client of MessagePack-RPC may say no more than the name of a method, which then is one of the default service of
    /// the port. So a server says this of its other services, and of all of them where it does not speak that dialect.
    /// A registry whose clients speak no other one, such as that of Python doge, takes no such instance. Elsewhere, it is
    /// the tag `dialects` with the value `native`.
    #[must_use]
    pub fn with_native_only(self) -> Self {
        self.with_tag(DIALECTS, NATIVE)
    }

    /// Whether its service is called in the native protocol only.
    #[must_use]
    pub fn is_native_only(&self) -> bool {
        self.tags.get(DIALECTS).is_some_and(|it| it == NATIVE)
    }

    /// Sets who says that it is there. A registry that other processes write to says so of what it lists.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// Who says that it is there.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The id: random, so that what is left of an earlier process never passes for this one.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the instance serves.
    #[must_use]
    pub fn key(&self) -> &ServiceKey {
        &self.key
    }

    /// Where the instance listens.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The share of calls this instance is to get, relative to the others; 100 unless set.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// The zone the instance runs in, if it said so.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// Everything else the instance says about itself.
    #[must_use]
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    /// The same as it says that it is about to leave: it gets no calls from those who do not know the tag.
    #[cfg(feature = "etcd")]
    pub(crate) fn farewell(&self) -> Self {
        let (tag, value) = LEAVING;
        self.clone().with_weight(0).with_tag(tag, value)
    }

    /// Whether it has said that it is about to leave.
    #[cfg(feature = "etcd")]
    pub(crate) fn says_farewell(&self) -> bool {
        let (tag, value) = LEAVING;
        self.weight == 0 && self.tags.get(tag).is_some_and(|it| it == value)
    }

    /// An instance that somebody else gave its id.
    #[cfg(any(feature = "etcd", feature = "etcd-v2"))]
    pub(crate) fn named(id: &str, key: ServiceKey, address: impl Into<String>) -> Self {
        Self::with_id(id.to_owned(), key, address)
    }

    /// The same under another id.
    #[cfg(feature = "etcd-v2")]
    pub(crate) fn renamed(&self, id: String) -> Self {
        Self { id, ..self.clone() }
    }

    /// An instance of a fixed list, which has the same id each time the list is made.
    pub(crate) fn fixed(key: ServiceKey, address: &str) -> Self {
        Self::with_id(address.to_owned(), key, address)
    }

    fn with_id(id: String, key: ServiceKey, address: impl Into<String>) -> Self {
        Self {
            id,
            key,
            address: address.into(),
            weight: DEFAULT_WEIGHT,
            zone: None,
            tags: BTreeMap::new(),
            origin: Origin::Configured,
        }
    }
}

fn default_weight() -> u32 {
    DEFAULT_WEIGHT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_between_instances_of_one_address() {
        let key = ServiceKey::new("hr.employee");
        let first = Instance::new(key.clone(), "tcp://a:1");
        let second = Instance::new(key, "tcp://a:1");
        assert_ne!(first.id(), second.id());
    }

    #[test]
    fn an_instance_survives_json() {
        let instance = Instance::new(ServiceKey::new("hr.employee"), "tcp://a:1")
            .with_weight(7)
            .with_zone("a")
            .with_tag("k", "v");
        let json = serde_json::to_string(&instance).unwrap();
        assert_eq!(serde_json::from_str::<Instance>(&json).unwrap(), instance);
    }

    #[test]
    fn optional_fields_may_be_absent_and_unknown_ones_present() {
        let json =
            r#"{"id":"i","key":{"group":"g","service":"s","version":"1"},"address":"a","new":1}"#;
        let instance: Instance = serde_json::from_str(json).unwrap();
        assert_eq!(instance.weight(), DEFAULT_WEIGHT);
        assert_eq!(instance.zone(), None);
        assert!(instance.tags().is_empty());
    }
}
