use super::markdown::Table;
use crate::Entry;

/// Who takes part, in which versions; `lock` is the lock file.
pub fn contenders(entries: &[Entry], lock: &str) -> String {
    let mut table = Table::new(2, ["", "made of"]);
    for entry in entries {
        let packages = entry.packages().iter().map(|package| {
            let version = version(lock, package).unwrap_or("unknown");
            format!("{package} {version}")
        });
        table.row([entry.to_string(), packages.collect::<Vec<_>>().join(", ")]);
    }
    table.to_string()
}

/// The version of a package; of several, the newest, which stands last.
fn version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"\nversion = \"");
    let (_, rest) = lock.rsplit_once(&name)?;
    Some(rest.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::version;
    use crate::Entry;

    #[test]
    fn the_lock_file_has_the_version_of_every_package() {
        let lock = include_str!("../../../Cargo.lock");
        for entry in Entry::value_variants() {
            for package in entry.packages() {
                assert!(version(lock, package).is_some(), "{package} of {entry}");
            }
        }
        assert_eq!(version(lock, "no such package"), None);
    }
}
