use super::installed::Installed;

/// The features that can be built and tested, and the words for those that cannot.
///
/// Cargo switches a feature on in each package of the workspace that has it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Features {
    on: Vec<&'static str>,
    off: Vec<&'static str>,
}

impl Features {
    pub(super) fn of(installed: Installed) -> Self {
        let mut features = Self::default();
        for (feature, name, is_on) in [
            (&["etcd", "etcd-v2"][..], "etcd", installed.etcd),
            (&["python"], "Python", installed.python.is_some()),
            (&["neovim"], "neovim", installed.neovim),
        ] {
            if is_on {
                features.on.extend(feature);
            } else {
                features.off.push(name);
            }
        }
        features
    }

    /// A command of cargo for the whole workspace, followed by `options`.
    pub(super) fn command(&self, command: &str, options: &str) -> String {
        let features = if self.on.is_empty() {
            String::new()
        } else {
            format!(" --features {}", self.on.join(","))
        };
        format!("{command} --workspace{features} {options}")
    }

    /// What is made with these features, with what it lacks.
    pub(super) fn title(&self, what: &str) -> String {
        match self.off.split_last() {
            None => what.to_owned(),
            Some((last, [])) => format!("{what}, without those of {last}"),
            Some((last, others)) => {
                format!("{what}, without those of {} and {last}", others.join(", "))
            }
        }
    }
}
