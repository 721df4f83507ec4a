use std::net::TcpListener;

/// A port of loopback that nobody listens at.
///
/// From below the range that the system gives to outgoing connections, so that a member that is restarted finds its
/// port free; at random, so that tests that run at the same time hardly meet.
pub(super) fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(10_000..32_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
