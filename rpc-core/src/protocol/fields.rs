use bytes::{BufMut, Bytes, BytesMut};

use super::{Reader, Violation, flags};
use crate::metadata::{MAX_METADATA_ENTRIES, MAX_METADATA_LEN, Metadata, is_key};

/// Optional parts of a message, each with a tag and a length, so that a peer which does not know one skips it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Keys and values beside the call or its answer.
    pub metadata: Metadata,
    /// How long an overloaded peer asks callers to stay away, in milliseconds.
    pub pushback: Option<u32>,
    /// Bytes of the body once it is decompressed.
    pub inflated: Option<u32>,
    /// Bytes that the receiver of a stream has room for at first.
    pub window: Option<u32>,
    /// Name and version of the software that says hello.
    pub agent: Option<Box<str>>,
}

mod tag {
    pub(super) const METADATA: u8 = 0x01;
    pub(super) const PUSHBACK: u8 = 0x02;
    pub(super) const INFLATED: u8 = 0x03;
    pub(super) const WINDOW: u8 = 0x04;
    pub(super) const AGENT: u8 = 0x05;
    /// A field with this bit has to be understood.
    pub(super) const CRITICAL: u8 = 0x80;
}

impl Fields {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.metadata.is_empty()
            && self.pushback.is_none()
            && self.inflated.is_none()
            && self.window.is_none()
            && self.agent.is_none()
    }

    /// Writes the block: two bytes of length, then each field as tag, length, value.
    pub(crate) fn encode(&self, dst: &mut BytesMut) {
        let start = dst.len();
        dst.put_u16(0);
        if !self.metadata.is_empty() {
            put_head(dst, tag::METADATA, self.metadata.wire_len());
            for (key, value) in self.metadata.iter() {
                dst.put_u8(key.len() as u8);
                dst.put_slice(key.as_bytes());
                dst.put_u16(value.len() as u16);
                dst.put_slice(value);
            }
        }
        for (tag, number) in [
            (tag::PUSHBACK, self.pushback),
            (tag::INFLATED, self.inflated),
            (tag::WINDOW, self.window),
        ] {
            if let Some(number) = number {
                put_head(dst, tag, 4);
                dst.put_u32(number);
            }
        }
        if let Some(agent) = &self.agent {
            let agent = &agent.as_bytes()[..agent.len().min(MAX_AGENT_LEN)];
            put_head(dst, tag::AGENT, agent.len());
            dst.put_slice(agent);
        }
        let length = dst.len() - start - 2;
        dst[start..start + 2].copy_from_slice(&(length as u16).to_be_bytes());
    }

    /// The flag that says whether a block is there.
    pub(crate) fn flag(&self) -> u8 {
        if self.is_empty() { 0 } else { flags::FIELDS }
    }

    /// Writes the block where [`flag`](Self::flag) announces one.
    pub(crate) fn encode_unless_empty(&self, dst: &mut BytesMut) {
        if !self.is_empty() {
            self.encode(dst);
        }
    }

    /// Reads the block where the flags announce one.
    #[inline]
    pub(crate) fn decode_if_flagged(bits: u8, reader: &mut Reader) -> Result<Self, Violation> {
        if bits & flags::FIELDS == 0 {
            return Ok(Self::default());
        }
        Self::decode(reader)
    }

    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, Violation> {
        let length = reader.u16("fields")?;
        let mut block = Reader::new(reader.take(usize::from(length), "fields")?);
        let mut fields = Self::default();
        while !block.is_empty() {
            let tag = block.u8("field tag")?;
            let length = usize::from(block.u16("field length")?);
            let mut value = Reader::new(block.take(length, "field")?);
            match tag {
                tag::METADATA => fields.metadata = decode_metadata(value)?,
                tag::PUSHBACK => fields.pushback = Some(value.u32("pushback")?),
                tag::INFLATED => fields.inflated = Some(value.u32("inflated length")?),
                tag::WINDOW => fields.window = Some(value.u32("window")?),
                tag::AGENT => fields.agent = Some(value.text(length, "agent")?),
                _ if tag & tag::CRITICAL != 0 => return Err(Violation::Field(tag)),
                _ => {}
            }
        }
        Ok(fields)
    }
}

/// An agent is a name and a version; longer ones are cut.
const MAX_AGENT_LEN: usize = 255;

fn put_head(dst: &mut BytesMut, tag: u8, length: usize) {
    dst.put_u8(tag);
    dst.put_u16(length as u16);
}

fn decode_metadata(mut reader: Reader) -> Result<Metadata, Violation> {
    let mut metadata = Metadata::new();
    let mut total = 0;
    while !reader.is_empty() {
        let length = usize::from(reader.u8("metadata key")?);
        let key = reader.take(length, "metadata key")?;
        let length = usize::from(reader.u16("metadata value")?);
        let value = reader.take(length, "metadata value")?;
        total += 3 + key.len() + value.len();
        if total > MAX_METADATA_LEN || metadata.len() == MAX_METADATA_ENTRIES {
            return Err(Violation::Malformed("metadata: too large"));
        }
        match std::str::from_utf8(&key) {
            // Copied, since a handler may hold it for long, and a slice holds all of what was read with it.
            Ok(name) if is_key(&key) => metadata.put(name, Bytes::copy_from_slice(&value)),
            _ => return Err(Violation::Malformed("metadata key")),
        }
    }
    Ok(metadata)
}
