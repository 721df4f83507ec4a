use std::{
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// The file of a database as it was opened.
///
/// An open file can be written to after it was removed or replaced, and what is written is lost with it.
#[derive(Clone, Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl DatabaseFile {
    /// The file that is at this path now.
    pub(super) fn opened(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: identity(&path.metadata()?),
        })
    }

    /// Looks whether the same file is still there. One system call, which does not wait for a disk that was read before.
    ///
    /// # Errors
    ///
    /// When the path has no file, or another file.
    pub(super) fn check(&self) -> io::Result<()> {
        let path = self.path.display();
        match self.path.metadata() {
            Ok(now) if identity(&now) == self.identity => Ok(()),
            Ok(_) => Err(io::Error::other(format!(
                "{path} is another file than the one that was opened; start this instance again"
            ))),
            Err(error) => Err(io::Error::new(error.kind(), format!("{path}: {error}"))),
        }
    }
}

/// Device and inode.
fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
