//! A file as text, whatever it is packed in.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;

use super::{ImportError, Progress};

pub(super) type Source = Box<dyn Read>;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Opens a file; gzip is known by its first bytes, whatever the file is called.
pub(super) fn open(path: &Path, progress: &Progress) -> Result<Source, ImportError> {
    let failed = |source| ImportError::Open {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    let mut file = BufReader::new(progress.reading(file, metadata.len()));
    let is_gzip = file.fill_buf().map_err(failed)?.starts_with(&GZIP);
    Ok(if is_gzip {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    })
}
