use crate::remote::prefix;
use crate::{Instance, RegistryError, ServiceKey};

/// Which key of etcd is whose: `{prefix}/{group}/{service}/{version}/{instance}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Empty, or begins with a slash and ends without.
    prefix: String,
}

impl Layout {
    pub(super) fn new(prefix: &str) -> Result<Self, RegistryError> {
        Ok(Self {
            prefix: prefix::checked(prefix)?,
        })
    }

    /// What the keys of all instances of a service begin with. It ends with a slash, so that service `a` does not see
    /// the instances of `ab`.
    pub(super) fn service(&self, key: &ServiceKey) -> String {
        format!("{}/{key}/", self.prefix)
    }

    pub(super) fn instance(&self, instance: &Instance) -> String {
        format!("{}{}", self.service(instance.key()), instance.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_as_documented() {
        let key = ServiceKey::new("hr.employee")
            .with_group("g")
            .with_version("2");
        for (prefix, expected) in [
            ("/doge/rpc", "/doge/rpc/g/hr.employee/2/"),
            ("/doge/rpc/", "/doge/rpc/g/hr.employee/2/"),
            ("/", "/g/hr.employee/2/"),
        ] {
            assert_eq!(Layout::new(prefix).unwrap().service(&key), expected);
        }
        let instance = Instance::named("i", key, "tcp://a:1");
        let layout = Layout::new("/doge/rpc").unwrap();
        assert_eq!(layout.instance(&instance), "/doge/rpc/g/hr.employee/2/i");
    }
}
