//! What the benchmark `balance` found out, read from where criterion keeps it.

use std::{fs, path::Path};

use serde_json::Value;

use crate::Error;

/// Time to choose an endpoint, by the number of endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Picking {
    /// Name of the policy.
    pub policy: String,
    /// Numbers of endpoints, ascending, and nanoseconds: the median that criterion estimates.
    pub nanos: Vec<(u32, f64)>,
}

/// What the name of each group starts with.
const PREFIX: &str = "pick_";

impl Picking {
    /// All policies that are in criterion's folder; none when there is no such folder.
    ///
    /// # Errors
    ///
    /// When what is in it is not criterion's.
    pub fn read(criterion: &Path) -> Result<Vec<Self>, Error> {
        let mut all = Vec::new();
        for (name, group) in folders(criterion)? {
            let Some(policy) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let mut nanos = Vec::new();
            for (count, folder) in folders(&group)? {
                if let Ok(count) = count.parse() {
                    nanos.push((count, median(&folder.join("new/estimates.json"))?));
                }
            }
            nanos.sort_by_key(|(count, _)| *count);
            let policy = policy.into();
            all.push(Self { policy, nanos });
        }
        all.sort_by(|one, other| one.policy.cmp(&other.policy));
        Ok(all)
    }
}

fn folders(path: &Path) -> Result<Vec<(String, std::path::PathBuf)>, Error> {
    let Ok(entries) = fs::read_dir(path) else {
        return Ok(Vec::new());
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        folders.push((entry.file_name().to_string_lossy().into(), entry.path()));
    }
    Ok(folders)
}

fn median(file: &Path) -> Result<f64, Error> {
    let estimates: Value = serde_json::from_slice(&fs::read(file)?)?;
    let median = estimates["median"]["point_estimate"].as_f64();
    median.ok_or_else(|| format!("{} has no median", file.display()).into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Picking;

    #[test]
    fn medians_are_read_by_policy_and_number() {
        let criterion = tempfile::tempdir().unwrap();
        for (count, nanos) in [("100", 3.5), ("3", 1.5)] {
            let folder = criterion
                .path()
                .join("pick_some policy")
                .join(count)
                .join("new");
            fs::create_dir_all(&folder).unwrap();
            let estimates = format!(r#"{{"median":{{"point_estimate":{nanos}}}}}"#);
            fs::write(folder.join("estimates.json"), estimates).unwrap();
        }
        fs::create_dir_all(criterion.path().join("pick_some policy/report")).unwrap();
        fs::create_dir_all(criterion.path().join("make")).unwrap();
        let policy = "some policy".into();
        let nanos = vec![(3, 1.5), (100, 3.5)];
        assert_eq!(
            Picking::read(criterion.path()).unwrap(),
            [Picking { policy, nanos }]
        );
        assert_eq!(Picking::read(&criterion.path().join("none")).unwrap(), []);
    }
}
