use crate::remote::prefix;
use crate::{Instance, RegistryError, ServiceKey};

/// Which key of etcd is whose: `{prefix}/{service}/{instance}`.
///
/// Python doge knows neither groups nor versions, so there is one of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Empty, or begins with a slash and ends without.
    prefix: String,
    group: String,
    version: String,
}

impl Layout {
    pub(super) fn new(prefix: &str, group: &str, version: &str) -> Result<Self, RegistryError> {
        if prefix.split('/').any(|part| part == "." || part == "..") {
            return Err(RegistryError::InvalidSetting {
                setting: "key prefix",
                value: prefix.to_owned(),
                mend: "name it without . and .., which etcd takes out of a path",
            });
        }
        let layout = Self {
            prefix: prefix::checked(prefix)?,
            group: group.to_owned(),
            version: version.to_owned(),
        };
        ServiceKey::new("any")
            .with_group(group)
            .with_version(version)
            .validate()?;
        Ok(layout)
    }

    /// Whether instances of this group and version have a place.
    pub(super) fn has(&self, key: &ServiceKey) -> bool {
        key.group() == self.group && key.version() == self.version
    }

    /// The directory of a service.
    pub(super) fn service(&self, key: &ServiceKey) -> String {
        format!("{}/{}", self.prefix, key.service())
    }

    /// The key of an instance.
    pub(super) fn instance(&self, instance: &Instance) -> String {
        format!("{}/{}", self.service(instance.key()), instance.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(prefix: &str) -> Result<Layout, RegistryError> {
        Layout::new(prefix, "default", "1")
    }

    #[test]
    fn keys_are_those_of_doge() {
        let key = ServiceKey::new("hr.employee");
        let instance = Instance::named("n1", key.clone(), "tcp://a:1");
        for (prefix, expected) in [
            ("/doge/rpc", "/doge/rpc/hr.employee"),
            ("/doge/rpc/", "/doge/rpc/hr.employee"),
            ("/", "/hr.employee"),
        ] {
            let layout = layout(prefix).unwrap();
            assert_eq!(layout.service(&key), expected);
            assert_eq!(layout.instance(&instance), format!("{expected}/n1"));
        }
    }

    #[test]
    fn one_group_and_version_has_a_place() {
        let layout = Layout::new("/doge/rpc", "g", "2").unwrap();
        let key = ServiceKey::new("s").with_group("g").with_version("2");
        assert!(layout.has(&key));
        assert!(!layout.has(&key.clone().with_group("h")));
        assert!(!layout.has(&key.with_version("1")));
    }

    #[test]
    fn what_can_be_no_key_is_refused() {
        for prefix in ["", "doge", "//", "/a/../b", "/./a"] {
            assert!(layout(prefix).is_err(), "{prefix:?} passed");
        }
        assert!(Layout::new("/a", "a/b", "1").is_err());
        assert!(Layout::new("/a", "a", "").is_err());
    }
}
