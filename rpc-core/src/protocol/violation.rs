use std::fmt;

use thiserror::Error;

/// What a peer did that the protocol does not allow. The connection ends; nothing else is touched.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Violation {
    /// The bytes are of another protocol.
    #[error("the peer does not speak this protocol: {0}")]
    Foreign(Foreign),
    /// A reserved byte is not zero.
    #[error("reserved header byte is {0:#04x}, not zero")]
    Reserved(u8),
    /// A kind that this version does not know and may not skip.
    #[error("unknown frame kind {0:#04x}")]
    Kind(u8),
    /// Flag bits that this kind does not have.
    #[error("unknown flags {flags:#04x} on a frame of kind {kind:#04x}")]
    Flags {
        /// The kind.
        kind: u8,
        /// The bits that are not known.
        flags: u8,
    },
    /// More payload than the limit.
    #[error("a frame of {length} bytes is over the limit of {limit}")]
    Oversize {
        /// Bytes announced.
        length: u32,
        /// The most that is taken.
        limit: u32,
    },
    /// The payload ends before what it announces.
    #[error("truncated: {0}")]
    Truncated(&'static str),
    /// The payload has bytes that nothing announces.
    #[error("{0} bytes too many in a frame of kind {1:#04x}")]
    Trailing(usize, u8),
    /// A value that is out of its range.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// A field that has to be understood and is not.
    #[error("unknown field {0:#04x} that must be understood")]
    Field(u8),
    /// A frame that cannot stand where it stands.
    #[error("unexpected frame: {0}")]
    Unexpected(&'static str),
    /// A call id that was used before on this connection.
    #[error("call id {0:#x} is not above the last one of its lane")]
    CallId(u64),
    /// A route number that was never named, or that is over the limit.
    #[error("route number {0} is not known on this connection")]
    Route(u16),
    /// A feature that was not agreed in hello.
    #[error("{0} was not agreed in hello")]
    NotAgreed(&'static str),
    /// No version that both sides speak.
    #[error(
        "the peer speaks versions {min} to {max}, this side speaks {}",
        super::VERSION
    )]
    Version {
        /// Lowest version of the peer.
        min: u8,
        /// Highest version of the peer.
        max: u8,
    },
    /// Too many frames of a kind that costs its sender nothing.
    #[error("too many {0}")]
    Flood(&'static str),
    /// Something that has to be there in time is not.
    #[error("{0} took too long")]
    TooSlow(&'static str),
}

/// A protocol that somebody speaks to us by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// HTTP/1 or HTTP/2, request or answer.
    Http,
    /// A TLS handshake.
    Tls,
    /// A MessagePack array: MessagePack-RPC, as doge speaks it.
    MessagePackRpc,
    /// Anything else, by its first byte.
    Unknown(u8),
}

impl Foreign {
    /// Recognises a protocol by its first bytes; `None` when more of them are needed.
    pub fn recognise(bytes: &[u8]) -> Option<Self> {
        const HTTP: [&[u8]; 8] = [
            b"GET ", b"POST", b"PUT ", b"HEAD", b"PRI ", b"HTTP", b"OPTI", b"DELE",
        ];
        let first = *bytes.first()?;
        match first {
            0x16 => Some(Self::Tls),
            0x90..=0x9F | 0xDC | 0xDD => Some(Self::MessagePackRpc),
            _ if bytes.len() < 4 && HTTP.iter().any(|word| word.starts_with(bytes)) => None,
            _ if HTTP.iter().any(|word| bytes.starts_with(word)) => Some(Self::Http),
            _ => Some(Self::Unknown(first)),
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http => f.write_str("it speaks HTTP"),
            Self::Tls => f.write_str("it speaks TLS"),
            Self::MessagePackRpc => f.write_str("it speaks MessagePack-RPC"),
            Self::Unknown(byte) => write!(f, "its first byte is {byte:#04x}, not 0xc1"),
        }
    }
}
