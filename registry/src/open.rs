use std::sync::Arc;

use thiserror::Error;

use crate::{File, Memory, Registry, Static};

/// Opens the registry that `url` names, as read from a setting.
///
/// | form | registry |
/// |---|---|
/// | `memory:` | a new [`Memory`]; share the handle, because a second call opens another one |
/// | `file:DIR` | [`File`] over the folder `DIR`, relative or absolute; `file:///DIR` works too |
/// | `static:ADDRESS,ADDRESS` | [`Static`] with these addresses for all services |
///
/// Nothing is read or written yet.
///
/// ```
/// let registry = doge_registry::open("static:tcp://10.0.0.1:4399,tcp://10.0.0.2:4399")?;
/// # Ok::<(), doge_registry::OpenError>(())
/// ```
///
/// # Errors
///
/// [`OpenError`] says what is wrong with `url` and which forms there are.
pub fn open(url: &str) -> Result<Arc<dyn Registry>, OpenError> {
    let fail = |reason| OpenError {
        url: url.to_owned(),
        reason,
    };
    match url.split_once(':') {
        Some(("memory", "")) => Ok(Arc::new(Memory::new())),
        Some(("memory", _)) => Err(fail("nothing may follow memory:")),
        Some(("file", folder)) => Ok(Arc::new(File::new(folder_of(folder).map_err(fail)?))),
        Some(("static", list)) => Ok(Arc::new(Static::addresses(
            addresses_of(list).map_err(fail)?,
        ))),
        _ => Err(fail("this is none of the kinds of registry there are")),
    }
}

/// The text given to [`open`] names no registry.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "cannot open registry {url:?}: {reason}; accepted are memory:, file:DIR, \
     and static:ADDRESS,ADDRESS (for example static:tcp://10.0.0.1:4399,tcp://10.0.0.2:4399)"
)]
pub struct OpenError {
    url: String,
    reason: &'static str,
}

impl OpenError {
    /// The text that was given.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

fn folder_of(folder: &str) -> Result<&str, &'static str> {
    match folder.strip_prefix("//") {
        None if folder.is_empty() => Err("the folder is missing"),
        None => Ok(folder),
        Some(absolute) if absolute.starts_with('/') => Ok(absolute),
        Some(_) => Err("file:// names a host, and only folders of this machine can be opened"),
    }
}

fn addresses_of(list: &str) -> Result<Vec<&str>, &'static str> {
    let addresses: Vec<&str> = list.split(',').map(str::trim).collect();
    if addresses.contains(&"") {
        return Err("an address is empty");
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_relative_absolute_or_a_local_url() {
        assert_eq!(folder_of("run/doge"), Ok("run/doge"));
        assert_eq!(folder_of("/run/doge"), Ok("/run/doge"));
        assert_eq!(folder_of("///run/doge"), Ok("/run/doge"));
        assert!(folder_of("//host/doge").is_err());
        assert!(folder_of("").is_err());
    }

    #[test]
    fn addresses_are_split_at_commas() {
        assert_eq!(
            addresses_of("tcp://[::1]:1, unix:///x"),
            Ok(vec!["tcp://[::1]:1", "unix:///x"])
        );
        assert!(addresses_of("").is_err());
        assert!(addresses_of("tcp://a:1,").is_err());
    }
}
