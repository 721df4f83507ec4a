use crate::RegistryError;

/// What all keys begin with unless it is set: doge's own.
pub(crate) const DEFAULT: &str = "/doge/rpc";

/// The prefix without the slash it may end with: empty, or it begins with a slash and ends without.
pub(crate) fn checked(prefix: &str) -> Result<String, RegistryError> {
    let trimmed = prefix.strip_suffix('/').unwrap_or(prefix);
    let mut parts = trimmed.split('/');
    let rooted = parts.next() == Some("") && prefix.starts_with('/');
    if rooted && parts.all(|part| !part.is_empty() && !part.contains(char::is_control)) {
        return Ok(trimmed.to_owned());
    }
    Err(RegistryError::InvalidSetting {
        setting: "key prefix",
        value: prefix.to_owned(),
        mend: "let it begin with a slash and have no empty part, such as /doge/rpc",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_that_begins_no_key_is_refused() {
        for prefix in ["", "doge", "//", "/a//b", "/a\n"] {
            assert!(checked(prefix).is_err(), "{prefix:?} passed");
        }
    }

    #[test]
    fn a_slash_at_the_end_makes_no_difference() {
        for (prefix, expected) in [("/doge/rpc", "/doge/rpc"), ("/doge/", "/doge"), ("/", "")] {
            assert_eq!(checked(prefix).unwrap(), expected);
        }
    }
}
