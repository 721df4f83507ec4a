//! The parts of a URL that names a registry: `//[USER:PASSWORD@]HOSTS[/PREFIX][?OPTION=VALUE&...]`.

use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::RegistryError;

/// What follows the scheme and its colon, taken apart and decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    /// Name and password.
    pub(crate) user: Option<(String, String)>,
    /// What stands between the commas; a single empty text when there is nothing.
    pub(crate) hosts: Vec<&'a str>,
    /// With the slash that it begins with.
    pub(crate) prefix: Option<String>,
    /// In their order.
    pub(crate) options: Vec<(&'a str, String)>,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(rest: &'a str) -> Result<Self, String> {
        let rest = rest
            .strip_prefix("//")
            .ok_or("two slashes have to follow the colon")?;
        // That of a password would end the hosts too early, and an error would show the rest of it.
        if let Some(at) = rest.find(['/', '?'])
            && rest[at..].contains('@')
        {
            return Err(
                "an @ follows the first / or ?; percent-encode the password, with %2F for / and %3F for ?, \
                 and with %40 an @ that belongs to something else"
                    .to_owned(),
            );
        }
        let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, prefix) = match place.find('/') {
            Some(at) => place.split_at(at),
            None => (place, ""),
        };
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user_of(user)?), hosts),
            None => (None, authority),
        };
        Ok(Self {
            user,
            hosts: hosts.split(',').collect(),
            prefix: (!prefix.is_empty()).then(|| decoded(prefix)).transpose()?,
            options: options_of(options)?,
        })
    }
}

/// Whole milliseconds, seconds or minutes, as the value of the option `name`.
pub(crate) fn time(name: &str, value: &str) -> Result<Duration, String> {
    duration(value).ok_or_else(|| format!("{name}={value} is no time, such as 500ms, 15s or 5m"))
}

/// What the builder of a registry refused, without saying again that it is a registry.
pub(crate) fn refusal(error: &RegistryError) -> String {
    match error {
        RegistryError::InvalidSetting {
            setting,
            mend,
            value,
        } => format!("the {setting} {value:?} cannot be used: {mend}"),
        other => other.to_string(),
    }
}

fn user_of(user: &str) -> Result<(String, String), String> {
    let (name, password) = user
        .split_once(':')
        .ok_or("a password has to follow the user, after a colon")?;
    Ok((decoded(name)?, decoded(password)?))
}

fn options_of(options: &str) -> Result<Vec<(&str, String)>, String> {
    let given = options.split('&').filter(|option| !option.is_empty());
    let read = given.map(|option| {
        let (name, value) = option
            .split_once('=')
            .ok_or_else(|| format!("the option {option:?} has no value"))?;
        Ok((name, decoded(value)?))
    });
    read.collect()
}

fn decoded(text: &str) -> Result<String, String> {
    percent_decode_str(text)
        .decode_utf8()
        .map(Into::into)
        .map_err(|_| "what is percent-encoded has to be UTF-8".to_owned())
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|found: char| found.is_ascii_alphabetic());
    let number: u32 = digits.parse().ok()?;
    let unit = match &text[digits.len()..] {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        _ => return None,
    };
    Some(unit * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_are_found_and_decoded() {
        let parts = Parts::of("//hr:s%40cret@a:1,[::1]/my/prefix?ttl=30s&x=/var/x%20y").unwrap();
        assert_eq!(parts.user, Some(("hr".to_owned(), "s@cret".to_owned())));
        assert_eq!(parts.hosts, ["a:1", "[::1]"]);
        assert_eq!(parts.prefix.as_deref(), Some("/my/prefix"));
        let options = [("ttl", "30s".to_owned()), ("x", "/var/x y".to_owned())];
        assert_eq!(parts.options, options);
    }

    #[test]
    fn hosts_alone_are_enough() {
        let parts = Parts::of("//a").unwrap();
        assert_eq!((parts.hosts, parts.prefix), (vec!["a"], None));
        assert!(parts.user.is_none() && parts.options.is_empty());
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(time("ttl", "500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("ttl", "15s"), Ok(Duration::from_secs(15)));
        assert_eq!(time("ttl", "5m"), Ok(Duration::from_secs(300)));
        for wrong in ["", "15", "s", "1h", "-1s", "1.5s", "99999999999s"] {
            assert!(time("ttl", wrong).unwrap_err().contains("ttl"), "{wrong:?}");
        }
    }
}
