use serde::{Deserialize, Serialize};

use super::Problem;
use crate::step::output;

/// What a count depends on besides the code: the compiler, what counts, and the C library, whose allocator and copies
/// are counted with the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Toolchain {
    rustc: String,
    valgrind: String,
    libc: String,
}

impl Toolchain {
    /// What is there.
    ///
    /// # Errors
    ///
    /// When one of them does not tell its version.
    pub(super) fn look() -> Result<Self, Problem> {
        let version = |program: &str, arguments: &[&str]| {
            output(program, arguments).ok_or_else(|| format!("{program} does not tell its version"))
        };
        let rustc = version("rustc", &["--version", "--verbose"])?;
        let mut lines = rustc.lines();
        let release = lines.next().unwrap_or_default();
        let host = lines
            .find_map(|line| line.strip_prefix("host: "))
            .unwrap_or_default();
        Ok(Self {
            rustc: format!("{release} for {host}"),
            valgrind: version("valgrind", &["--version"])?,
            libc: version("getconf", &["GNU_LIBC_VERSION"])?,
        })
    }

    /// Pairs of what it was and what it is, where they are not the same.
    pub(super) fn differences<'a>(&'a self, now: &'a Self) -> Vec<(&'a str, &'a str)> {
        [
            (&*self.rustc, &*now.rustc),
            (&*self.valgrind, &*now.valgrind),
            (&*self.libc, &*now.libc),
        ]
        .into_iter()
        .filter(|(was, is)| was != is)
        .collect()
    }

    #[cfg(test)]
    pub(super) fn with_rustc(rustc: &str) -> Self {
        Self {
            rustc: rustc.into(),
            valgrind: "valgrind-3.19.0".into(),
            libc: "glibc 2.36".into(),
        }
    }
}
