use bytes::{BufMut, BytesMut};

use super::{Fields, Reader, Violation};

/// The version of the protocol that this crate speaks.
pub const VERSION: u8 = 1;

/// Every peer takes frames of this size, so that a status or a go-away always gets through.
const MIN_MAX_FRAME: u32 = 4096;

/// The first frame of each side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Lowest version that this side speaks.
    pub min_version: u8,
    /// Highest version that this side speaks.
    pub max_version: u8,
    /// What this side can do beyond unary calls; in force is what both sides can.
    pub features: Features,
    /// Largest payload of one frame that this side takes, in bytes.
    pub max_frame: u32,
    /// Most calls that this side runs at once on the connection.
    pub max_calls: u32,
    /// Highest route number that this side remembers.
    pub max_routes: u16,
    /// Optional parts: the agent.
    pub fields: Fields,
}

/// A set of things that a side can do, agreed in hello.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features(pub u32);

impl Features {
    /// Nothing beyond unary calls in whole frames.
    pub const NONE: Self = Self(0);
    /// Bodies cut into pieces.
    pub const PIECES: Self = Self(1);
    /// Streams of items, and their windows.
    pub const STREAMS: Self = Self(1 << 1);
    /// Bodies compressed with zstd.
    pub const ZSTD: Self = Self(1 << 2);
    /// Bodies compressed with LZ4.
    pub const LZ4: Self = Self(1 << 3);
    /// Calls that want no answer.
    pub const ONE_WAY: Self = Self(1 << 4);

    /// Cancels that say why.
    pub const CANCEL_REASONS: Self = Self(1 << 5);

    /// What both sides can.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of `other` is in this set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Hello {
    /// Whether the two sides can talk: a version in common, and room for the frames of the connection itself.
    ///
    /// # Errors
    ///
    /// A [`Violation`] that says what is missing.
    pub fn check(&self) -> Result<(), Violation> {
        if !(self.min_version..=self.max_version).contains(&VERSION) {
            return Err(Violation::Version {
                min: self.min_version,
                max: self.max_version,
            });
        }
        if self.max_frame < MIN_MAX_FRAME {
            return Err(Violation::Malformed(
                "hello: frames of at least 4096 bytes have to be taken",
            ));
        }
        Ok(())
    }

    pub(crate) fn encode(&self, dst: &mut BytesMut) {
        dst.put_u8(self.min_version);
        dst.put_u8(self.max_version);
        dst.put_u16(self.max_routes);
        dst.put_u32(self.features.0);
        dst.put_u32(self.max_frame);
        dst.put_u32(self.max_calls);
        self.fields.encode(dst);
    }

    /// Bytes after the fields are for later versions, and skipped.
    pub(crate) fn decode(mut reader: Reader) -> Result<Self, Violation> {
        Ok(Self {
            min_version: reader.u8("hello")?,
            max_version: reader.u8("hello")?,
            max_routes: reader.u16("hello")?,
            features: Features(reader.u32("hello")?),
            max_frame: reader.u32("hello")?,
            max_calls: reader.u32("hello")?,
            fields: Fields::decode(&mut reader)?,
        })
    }
}
