//! A Markdown file of which parts are made anew.

use std::{fmt::Write as _, fs, path::Path};

use crate::Error;

/// A part of the document that is made anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name in the markers.
    pub name: &'static str,
    /// What stands between them.
    pub text: String,
}

/// Replaces what a file has between the markers of these sections.
///
/// # Errors
///
/// When the file does not have the markers of one, or cannot be read or written.
pub fn rewrite(file: &Path, sections: &[Section]) -> Result<(), Error> {
    let mut text =
        fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    for Section { name, text: new } in sections {
        let [begin, end] = markers(name);
        let parts = text
            .split_once(&begin)
            .and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
        let Some((before, after)) = parts else {
            return Err(format!("{} has no lines `{begin}` and `{end}`", file.display()).into());
        };
        text = format!("{before}{begin}\n\n{new}\n{end}{after}");
    }
    Ok(fs::write(file, text)?)
}

/// The lines around a section.
fn markers(name: &str) -> [String; 2] {
    ["begin", "end"].map(|edge| format!("<!-- benchmark: {name}: {edge} -->"))
}

/// All sections, for a terminal.
pub fn text(sections: &[Section]) -> String {
    let mut text = String::new();
    for section in sections {
        // Writing to a string does not fail.
        let _ = writeln!(text, "\n## {}\n\n{}", section.name, section.text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Section, rewrite};

    const OLD: &str = "before\n<!-- benchmark: a: begin -->\nold\n<!-- benchmark: a: end -->\nbetween\n\
        <!-- benchmark: b: begin -->\nold\n<!-- benchmark: b: end -->\nafter\n";

    fn section(name: &'static str) -> Section {
        let text = "new\n".into();
        Section { name, text }
    }

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("performance.md");
        std::fs::write(&file, OLD).unwrap();
        rewrite(&file, &[section("b")]).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let (kept, _) = OLD.split_once("<!-- benchmark: b").unwrap();
        let new = "<!-- benchmark: b: begin -->\n\nnew\n\n<!-- benchmark: b: end -->\nafter\n";
        assert_eq!(text, format!("{kept}{new}"));
    }

    #[test]
    fn a_file_without_the_markers_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("performance.md");
        std::fs::write(&file, OLD).unwrap();
        assert!(rewrite(&file, &[section("a"), section("c")]).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), OLD);
    }
}
