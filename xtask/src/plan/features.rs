use super::installed::Installed;

/// The features that can be built and tested, and the words for those that cannot.
///
/// Cargo switches a feature on in each package of the workspace that has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Features {
    on: Vec<&'static str>,
    off: Vec<&'static str>,
}

impl Features {
    pub(super) fn of(installed: Installed) -> Self {
        let mut features = Self::of_packages(installed);
        features.add(&["python"], "Python", installed.python.is_some());
        features.add(&["neovim"], "neovim", installed.neovim);
        features
    }

    /// Without those that only the tests with other peers have.
    pub(super) fn of_packages(installed: Installed) -> Self {
        // A name server and a simulation need nothing installed.
        let mut features = Self {
            on: vec!["dns", "testing"],
            off: Vec::new(),
        };
        features.add(&["etcd", "etcd-v2"], "etcd", installed.etcd);
        features
    }

    fn add(&mut self, features: &[&'static str], name: &'static str, is_on: bool) {
        if is_on {
            self.on.extend(features);
        } else {
            self.off.push(name);
        }
    }

    /// A command of cargo for the whole workspace, followed by `options`.
    pub(super) fn command(&self, command: &str, options: &str) -> String {
        let features = self.on.join(",");
        format!("{command} --workspace --features {features} {options}")
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
