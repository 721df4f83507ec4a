use std::{
    net::TcpListener,
    sync::{Mutex, PoisonError},
};

/// Ports that this process has handed out, and that nobody may listen at yet.
static GIVEN: Mutex<Vec<u16>> = Mutex::new(Vec::new());

/// A port of loopback that nobody listens at.
///
/// From below the range that the system gives to outgoing connections, so that a server that is restarted finds its
/// port free; at random, so that tests that run at the same time hardly meet.
pub fn free_port() -> u16 {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let port = fastrand::u16(10_000..32_000);
        if !given.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            given.push(port);
            return port;
        }
    }
}
