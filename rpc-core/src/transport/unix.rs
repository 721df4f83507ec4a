//! Unix sockets, whose files their listeners remove.

use std::{
    io,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::net::{UnixListener, UnixStream};

use super::{Listener, Stream};

pub(super) async fn connect(path: &Path) -> io::Result<Stream> {
    UnixStream::connect(path).await.map(Stream::unix)
}

/// Listens. A socket that a dead process left behind is replaced; anything else at its place is somebody's, and stays.
pub(super) async fn listen(path: &Arc<Path>) -> io::Result<Listener> {
    remove_if_dead(path).await?;
    let listener = UnixListener::bind(&**path)?;
    Ok(Listener::unix(listener)?.removing(SocketFile::at(path)))
}

/// The file of a socket, which is removed when this is dropped. Only the very file: whoever has put another one in its
/// place, such as the process that follows, keeps it.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    file: Option<FileId>,
}

/// A file, whatever its name. While a socket is open its number is not given to another file.
type FileId = (u64, u64);

impl SocketFile {
    fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file: socket_at(path),
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.file.is_some() && socket_at(&self.path) == self.file {
            // Somebody may have removed it already, which is as good.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn socket_at(path: &Path) -> Option<FileId> {
    let metadata = std::fs::symlink_metadata(path).ok()?;
    let is_socket = metadata.file_type().is_socket();
    is_socket.then(|| (metadata.dev(), metadata.ino()))
}

/// A socket that nobody answers at is a leftover.
async fn remove_if_dead(path: &Path) -> io::Result<()> {
    let Some(found) = socket_at(path) else {
        return Ok(());
    };
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            // Another process may have replaced it meanwhile.
            match socket_at(path) {
                Some(still) if still == found => std::fs::remove_file(path),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use super::{listen, socket_at};

    #[tokio::test]
    async fn a_listener_removes_its_own_file_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path: Arc<Path> = folder.path().join("s.sock").into();
        let first = listen(&path).await.unwrap();
        std::fs::remove_file(&*path).unwrap();
        let second = listen(&path).await.unwrap();
        let file = socket_at(&path);
        drop(first);
        assert_eq!(socket_at(&path), file, "it is that of the second");
        drop(second);
        assert_eq!(socket_at(&path), None);

        let third = listen(&path).await.unwrap();
        std::fs::remove_file(&*path).unwrap();
        std::fs::write(&*path, "not a socket").unwrap();
        drop(third);
        assert!(path.exists());
    }

    #[tokio::test]
    async fn a_leftover_is_replaced_and_a_living_socket_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path: Arc<Path> = folder.path().join("s.sock").into();
        // The standard library leaves the file behind.
        drop(std::os::unix::net::UnixListener::bind(&*path).unwrap());
        let listener = listen(&path).await.unwrap();
        let taken = listen(&path).await.unwrap_err();
        assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
        drop(listener);
    }
}
