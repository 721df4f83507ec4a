//! Pipes inside the process, for tests: no sockets, no ports, and tokio's paused clock applies.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, LazyLock},
};

use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::Stream;

/// Bytes that a pipe holds in each direction before its writer waits.
const PIPE: usize = 64 * 1024;

/// Connections that wait to be accepted.
const BACKLOG: usize = 128;

static LISTENERS: LazyLock<Mutex<HashMap<Arc<str>, mpsc::Sender<Stream>>>> =
    LazyLock::new(Mutex::default);

/// Two ends of a pipe that holds `capacity` bytes in each direction.
pub fn pair(capacity: usize) -> (Stream, Stream) {
    let (one, other) = tokio::io::duplex(capacity);
    (Stream::pipe(one), Stream::pipe(other))
}

pub(super) async fn connect(name: &str) -> io::Result<Stream> {
    let listener = LISTENERS.lock().get(name).cloned();
    let refused = || {
        io::Error::new(
            io::ErrorKind::ConnectionRefused,
            format!("nobody listens at memory://{name}"),
        )
    };
    let (ours, theirs) = pair(PIPE);
    listener
        .ok_or_else(refused)?
        .send(theirs)
        .await
        .map_err(|_| refused())?;
    Ok(ours)
}

#[derive(Debug)]
pub(super) struct Listener {
    name: Arc<str>,
    incoming: tokio::sync::Mutex<mpsc::Receiver<Stream>>,
}

pub(super) fn listen(name: &Arc<str>) -> io::Result<super::Listener> {
    Ok(super::Listener::memory(Listener::bind(name)?, name))
}

impl Listener {
    fn bind(name: &Arc<str>) -> io::Result<Self> {
        let (sender, incoming) = mpsc::channel(BACKLOG);
        let mut listeners = LISTENERS.lock();
        if listeners.contains_key(name) {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                format!("memory://{name} is taken"),
            ));
        }
        listeners.insert(Arc::clone(name), sender);
        Ok(Self {
            name: Arc::clone(name),
            incoming: tokio::sync::Mutex::new(incoming),
        })
    }

    pub(super) async fn accept(&self) -> io::Result<Stream> {
        self.incoming
            .lock()
            .await
            .recv()
            .await
            .ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        LISTENERS.lock().remove(&self.name);
    }
}
