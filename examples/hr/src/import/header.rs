use std::{io::Read, path::Path};

use csv::{Reader, StringRecord};

use super::{ImportError, row::COLUMNS};

/// The names of the columns, among them all that are needed.
pub(super) fn read(
    path: &Path,
    reader: &mut Reader<impl Read>,
) -> Result<StringRecord, ImportError> {
    let bytes = reader.byte_headers().map_err(|error| ImportError::Read {
        path: path.to_owned(),
        source: error.into(),
    })?;
    let names: Vec<_> = bytes.iter().map(String::from_utf8_lossy).collect();
    let count = |column: &str| names.iter().filter(|name| *name == column).count();
    let missing: Vec<_> = COLUMNS
        .into_iter()
        .filter(|column| count(column) == 0)
        .collect();
    if !missing.is_empty() {
        return Err(ImportError::MissingColumns {
            path: path.to_owned(),
            missing,
            found: shown(&names.join(", ")),
        });
    }
    match COLUMNS.into_iter().find(|column| count(column) > 1) {
        None => Ok(names
            .iter()
            .map(AsRef::as_ref)
            .collect::<Vec<&str>>()
            .into()),
        Some(column) => Err(ImportError::DuplicateColumn {
            path: path.to_owned(),
            column,
        }),
    }
}

/// As much of a first line as helps, which may be of any file.
fn shown(names: &str) -> String {
    const MOST: usize = 300;
    match names.char_indices().nth(MOST) {
        _ if names.is_empty() => "nothing".to_owned(),
        None => names.to_owned(),
        Some((end, _)) => format!("{} ...", &names[..end]),
    }
}
