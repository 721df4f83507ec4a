use bytes::{BufMut, BytesMut};

use super::{LANES, Reader, Violation, outcome::cut};

/// No more calls on this connection, and which ones were still taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoAway {
    /// Why.
    pub reason: Reason,
    /// The highest call id taken in each lane, from lane 0 on; a lane that is left out had none. A call above it
    /// never ran.
    pub last_calls: Vec<u64>,
    /// For people.
    pub message: Box<str>,
}

/// Why a side ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It shuts down; calls that it took are finished.
    Drain,
    /// Nothing went on for long.
    Idle,
    /// The peer broke the protocol.
    Violation,
    /// No common version.
    Version,
    /// The peer takes more than its share.
    Limit,
    /// Anything else, by number.
    Other(u8),
}

impl Reason {
    fn to_u8(self) -> u8 {
        match self {
            Self::Drain => 0,
            Self::Idle => 1,
            Self::Violation => 2,
            Self::Version => 3,
            Self::Limit => 4,
            Self::Other(number) => number,
        }
    }

    fn from_u8(number: u8) -> Self {
        match number {
            0 => Self::Drain,
            1 => Self::Idle,
            2 => Self::Violation,
            3 => Self::Version,
            4 => Self::Limit,
            other => Self::Other(other),
        }
    }
}

impl From<&Violation> for Reason {
    fn from(violation: &Violation) -> Self {
        match violation {
            Violation::Version { .. } => Self::Version,
            Violation::Oversize { .. } | Violation::Flood(_) => Self::Limit,
            Violation::TooSlow(_) => Self::Idle,
            _ => Self::Violation,
        }
    }
}

impl GoAway {
    pub(crate) fn encode(&self, dst: &mut BytesMut) {
        let lanes = &self.last_calls[..self.last_calls.len().min(LANES)];
        dst.put_u8(self.reason.to_u8());
        dst.put_u8(lanes.len() as u8);
        for last in lanes {
            dst.put_u64(*last);
        }
        dst.put_slice(cut(&self.message, MAX_MESSAGE_LEN).as_bytes());
    }

    pub(crate) fn decode(mut reader: Reader) -> Result<Self, Violation> {
        let reason = Reason::from_u8(reader.u8("go-away")?);
        let lanes = usize::from(reader.u8("go-away")?);
        if lanes > LANES {
            return Err(Violation::Malformed("go-away: too many lanes"));
        }
        let mut last_calls = Vec::with_capacity(lanes);
        for _ in 0..lanes {
            last_calls.push(reader.u64("go-away")?);
        }
        let message = reader.rest();
        let message = String::from_utf8_lossy(&message);
        Ok(Self {
            reason,
            last_calls,
            message: cut(&message, MAX_MESSAGE_LEN).into(),
        })
    }
}

const MAX_MESSAGE_LEN: usize = 1024;
