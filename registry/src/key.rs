use std::fmt;

use serde::{Deserialize, Serialize};

use crate::RegistryError;

const LONGEST_NAME: usize = 128;

/// What an instance serves and a caller looks for: group, service and version.
///
/// ```
/// use doge_registry::ServiceKey;
///
/// let key = ServiceKey::new("hr.employee");
/// assert_eq!(key.to_string(), "default/hr.employee/1");
/// let key = key.with_group("payroll").with_version("2");
/// assert_eq!(key.to_string(), "payroll/hr.employee/2");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServiceKey {
    group: String,
    service: String,
    version: String,
}

impl ServiceKey {
    /// The key of `service` in group `default`, version `1`.
    pub fn new(service: impl Into<String>) -> Self {
        Self {
            group: "default".to_owned(),
            service: service.into(),
            version: "1".to_owned(),
        }
    }

    /// The same key in another group.
    #[must_use]
    pub fn with_group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// The same key in another version.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// The group, which keeps deployments of one service apart.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The name of the service.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The version of the service.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Says whether every registry can hold this key.
    ///
    /// The parts become folder names and parts of keys, so each one is 1 to 128 characters of
    /// `A-Z a-z 0-9 . _ -` and does not start with a dot. Every registry checks this, so that a
    /// name that works with one works with all.
    ///
    /// # Errors
    ///
    /// [`RegistryError::InvalidName`] names the part at fault.
    pub fn validate(&self) -> Result<(), RegistryError> {
        validate_name("group", &self.group)?;
        validate_name("service", &self.service)?;
        validate_name("version", &self.version)
    }
}

impl fmt::Display for ServiceKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}/{}/{}",
            self.group, self.service, self.version
        )
    }
}

pub(crate) fn validate_name(part: &'static str, value: &str) -> Result<(), RegistryError> {
    if is_name(value) {
        return Ok(());
    }
    Err(RegistryError::InvalidName {
        part,
        value: value.to_owned(),
    })
}

fn is_name(value: &str) -> bool {
    (1..=LONGEST_NAME).contains(&value.len())
        && !value.starts_with('.')
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_valid() {
        let key = ServiceKey::new("hr.employee-v2_x")
            .with_group("A")
            .with_version("1.0");
        assert!(key.validate().is_ok());
    }

    #[test]
    fn names_that_leave_the_folder_are_refused() {
        for name in [
            "../x", "..", ".hidden", "", "a/b", "a b", "ü", "a\0b", "a\\b",
        ] {
            for key in [
                ServiceKey::new(name),
                ServiceKey::new("x").with_group(name),
                ServiceKey::new("x").with_version(name),
            ] {
                assert!(key.validate().is_err(), "{name:?} passed");
            }
        }
    }

    #[test]
    fn the_error_names_the_part_the_value_and_the_mend() {
        let error = ServiceKey::new("../x").validate().unwrap_err().to_string();
        assert!(error.contains("service"), "{error}");
        assert!(error.contains("\"../x\""), "{error}");
        assert!(error.contains("A-Z a-z 0-9"), "{error}");
    }

    #[test]
    fn names_are_bounded() {
        assert!(ServiceKey::new("x".repeat(LONGEST_NAME)).validate().is_ok());
        assert!(
            ServiceKey::new("x".repeat(LONGEST_NAME + 1))
                .validate()
                .is_err()
        );
    }
}
