use std::time::Duration;

use crate::protocol::{DEFAULT_MAX_FRAME, Features, Hello, VERSION};

/// What one connection may cost. Both ends have one; what a peer may send is said in hello.
///
/// ```
/// use doge_rpc_core::connection::Limits;
///
/// let limits = Limits { max_calls: 64, ..Limits::default() };
/// assert_eq!(limits.max_frame, 8 * 1024 * 1024);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest payload of one frame, in bytes, both ways. 8 MiB.
    pub max_frame: u32,
    /// Calls in flight on the connection. 4,096; at most 65,536.
    pub max_calls: u32,
    /// Bytes that wait to be written before callers wait and requests are no longer read. 8 MiB.
    pub max_unwritten: usize,
    /// Routes that are remembered by number. 4,096.
    pub max_routes: u16,
    /// From connect to the peer's hello; at a server that understands MessagePack-RPC as well, from the peer's first byte,
    /// before which nobody can tell what it will speak. 10 s.
    pub handshake_timeout: Duration,
    /// From the first byte of a frame to its last. 30 s.
    pub frame_timeout: Duration,
    /// How long a peer may take no byte of what waits for it. 20 s.
    pub write_timeout: Duration,
    /// Without a byte read for so long, a client pings; without a frame for twice as long, a server does. 20 s; at least
    /// 100 ms.
    pub ping_after: Duration,
    /// Without anything for so long after a ping, the connection is dead. 10 s.
    pub ping_timeout: Duration,
    /// Pings, go-aways and unknown frames that a peer may send at once, and a tenth of it more per second. Of cancels
    /// it may send as many as of calls, or these if they are more. 100.
    pub max_control_burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame: DEFAULT_MAX_FRAME,
            max_calls: 4096,
            max_unwritten: 8 * 1024 * 1024,
            max_routes: 4096,
            handshake_timeout: Duration::from_secs(10),
            frame_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(20),
            ping_after: Duration::from_secs(20),
            ping_timeout: Duration::from_secs(10),
            max_control_burst: 100,
        }
    }
}

impl Limits {
    /// What this side says in hello.
    pub(super) fn hello(&self) -> Hello {
        let agent = concat!("doge-rpc/", env!("CARGO_PKG_VERSION"));
        Hello {
            min_version: VERSION,
            max_version: VERSION,
            features: Features::CANCEL_REASONS,
            max_frame: self.max_frame,
            max_calls: self.max_calls,
            max_routes: self.max_routes,
            fields: crate::protocol::Fields {
                agent: Some(agent.into()),
                ..Default::default()
            },
        }
    }
}
