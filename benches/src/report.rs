//! Where the result goes.

use std::{fs, path::Path, thread};

use serde::Serialize;

use crate::{Error, Plan, rounds::Measured, summary::Row};

/// The line after which a file has the table.
pub const BEGIN: &str = "<!-- benchmark: begin -->";

/// The line before which the table ends.
pub const END: &str = "<!-- benchmark: end -->";

/// All that was found out, as JSON.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    /// What was measured.
    pub plan: &'a Plan,
    /// Medians.
    pub rows: &'a [Row],
    /// Every single sample.
    pub timed: &'a [Measured],
    /// The samples of the pass that counts allocations.
    pub counted: &'a [Measured],
}

impl Report<'_> {
    /// Writes it all.
    ///
    /// # Errors
    ///
    /// As the operating system reports it.
    pub fn write(&self, file: &Path) -> Result<(), Error> {
        Ok(fs::write(file, serde_json::to_vec_pretty(self)?)?)
    }
}

/// How the numbers came about, in one line.
pub fn conditions(plan: &Plan) -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let (rounds, length) = (plan.rounds, plan.window.length);
    format!("{cores} cores of {model}; medians of {rounds} interleaved rounds of {length:?} each.")
}

/// Replaces what a file has between [`BEGIN`] and [`END`].
///
/// # Errors
///
/// When the file does not have the two lines, or cannot be read or written.
pub fn rewrite(file: &Path, text: &str) -> Result<(), Error> {
    let old = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let parts = old
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, after)) = parts else {
        return Err(format!("{} has no lines `{BEGIN}` and `{END}`", file.display()).into());
    };
    Ok(fs::write(
        file,
        format!("{before}{BEGIN}\n\n{text}\n{END}{after}"),
    )?)
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, rewrite};

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("performance.md");
        std::fs::write(&file, format!("before\n{BEGIN}\nold\n{END}\nafter\n")).unwrap();
        rewrite(&file, "new\n").unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, format!("before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"));
    }

    #[test]
    fn a_file_without_markers_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("performance.md");
        std::fs::write(&file, "text").unwrap();
        assert!(rewrite(&file, "new").is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "text");
    }
}
