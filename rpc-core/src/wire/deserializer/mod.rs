//! Values out of MessagePack.
//!
//! What is read as what is as in rmp-serde's deserializer, which this one stands in for since that one refuses structs
//! written as arrays by peers that know more fields, takes 128-bit integers from one of three widths, and keeps no
//! limit of elements.

mod access;
mod error;
mod extension;

use serde::de::{self, Visitor, value::SeqDeserializer};

pub(super) use self::error::Error;
use self::{
    access::{Parts, Unit, Variant},
    extension::Extension,
};
use super::{
    DecodeError,
    head::{Head, head},
    limits::Limits,
};

/// Reads values from the front of bytes, one after the other. Text and blobs are copied once, into the value.
#[derive(Debug)]
pub(super) struct Deserializer<'de> {
    rest: &'de [u8],
    limits: Limits,
}

impl<'de> Deserializer<'de> {
    #[inline]
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self {
            rest: bytes,
            limits: Limits::new(),
        }
    }

    /// What has not been read.
    #[inline]
    pub(super) fn rest(&self) -> &'de [u8] {
        self.rest
    }

    /// Reads the head of an array and opens it. Its elements are read as values that follow each other.
    #[inline]
    pub(super) fn array(&mut self) -> Result<usize, Error> {
        match self.head()? {
            Head::Array(len) => self.open(len, 1),
            other => Err(other.mismatch()),
        }
    }

    #[inline]
    fn head(&mut self) -> Result<Head, Error> {
        let (head, rest) = head(self.rest).ok_or_else(Error::truncated)?;
        self.rest = rest;
        Ok(head)
    }

    #[inline]
    fn bytes(&mut self, len: usize) -> Result<&'de [u8], Error> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(Error::truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Counts what an array or a map announces, of which each entry is this many values, before anything is made room
    /// for.
    #[inline]
    fn open(&mut self, len: usize, values: usize) -> Result<usize, Error> {
        let claimed = len.saturating_mul(values);
        if claimed > self.rest.len() {
            return Err(self.claim(claimed));
        }
        self.limits.open(claimed)?;
        Ok(len)
    }

    #[cold]
    fn claim(&self, claimed: usize) -> Error {
        let left = self.rest.len();
        Error::of(DecodeError::Claim { claimed, left })
    }

    /// Reads a value that nobody wants.
    fn skip(&mut self) -> Result<(), Error> {
        let values = match self.head()? {
            Head::Array(len) => self.open(len, 1)?,
            Head::Map(len) => self.open(len, 2)? * 2,
            Head::Text(len) | Head::Bytes(len) => return self.bytes(len).map(drop),
            // The tag of an extension is a byte.
            Head::Extension(len) => return self.bytes(len.saturating_add(1)).map(drop),
            _ => return Ok(()),
        };
        // As deep as bodies may nest.
        for _ in 0..values {
            self.skip()?;
        }
        self.limits.close(1);
        Ok(())
    }

    fn read<V: Visitor<'de>>(
        &mut self,
        head: Head,
        visitor: V,
        blobs: Blobs,
    ) -> Result<V::Value, Error> {
        match head {
            Head::Text(len) => self.text(len, visitor),
            Head::Array(len) => self.sequence(len, visitor, Surplus::Refused),
            Head::Map(len) => self.entries(len, visitor),
            Head::Bytes(len) => {
                let bytes = self.bytes(len)?;
                match blobs {
                    Blobs::AreBytes => visitor.visit_borrowed_bytes(bytes),
                    Blobs::AreSequences => {
                        visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied()))
                    }
                }
            }
            Head::Extension(len) => {
                let bytes = self.bytes(len.saturating_add(1))?;
                visitor.visit_newtype_struct(Extension::new(bytes))
            }
            scalar => scalar.visit(visitor),
        }
    }

    fn text<V: Visitor<'de>>(&mut self, len: usize, visitor: V) -> Result<V::Value, Error> {
        let bytes = self.bytes(len)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => visitor.visit_borrowed_str(text),
            // Whoever takes bytes may have them.
            Err(error) => visitor
                .visit_borrowed_bytes(bytes)
                .map_err(|_: Error| de::Error::custom(format_args!("a text: {error}"))),
        }
    }

    fn sequence<V: Visitor<'de>>(
        &mut self,
        len: usize,
        visitor: V,
        surplus: Surplus,
    ) -> Result<V::Value, Error> {
        self.open(len, 1)?;
        let mut sequence = Parts::new(self, len);
        let value = visitor.visit_seq(&mut sequence)?;
        let left = sequence.left();
        if left > 0 {
            match surplus {
                Surplus::Refused => return Err(surplus_elements(len, left)),
                Surplus::PassedOver => {
                    for _ in 0..left {
                        self.skip()?;
                    }
                }
            }
        }
        self.limits.close(1);
        Ok(value)
    }

    fn entries<V: Visitor<'de>>(&mut self, len: usize, visitor: V) -> Result<V::Value, Error> {
        self.open(len, 2)?;
        let mut entries = Parts::new(self, len);
        let value = visitor.visit_map(&mut entries)?;
        let left = entries.left();
        if left > 0 {
            return Err(surplus_elements(len, left));
        }
        self.limits.close(1);
        Ok(value)
    }

    /// Reads a struct. As an array it may go on after the fields that are known: its writer may be newer.
    fn fields<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        match self.head()? {
            Head::Map(len) => self.entries(len, visitor),
            Head::Array(len) => self.sequence(len, visitor, Surplus::PassedOver),
            head => self.read(head, visitor, Blobs::AreSequences),
        }
    }

    /// 128 bits are a blob, unless they fit into fewer.
    fn wide(&mut self) -> Result<i128, Error> {
        match self.head()? {
            Head::Unsigned(value) => Ok(value.into()),
            Head::Signed(value) => Ok(value.into()),
            Head::Bytes(len) => match self.bytes(len)?.first_chunk() {
                Some(bytes) if len == 16 => Ok(i128::from_be_bytes(*bytes)),
                _ => Err(de::Error::custom(format_args!(
                    "{len} bytes came where a 128-bit integer has 16"
                ))),
            },
            other => Err(other.mismatch()),
        }
    }
}

/// What a blob is where a sequence is wanted, or nothing in particular.
#[derive(Clone, Copy)]
enum Blobs {
    AreBytes,
    AreSequences,
}

/// What becomes of elements that the type does not have.
#[derive(Clone, Copy)]
enum Surplus {
    Refused,
    PassedOver,
}

#[cold]
fn surplus_elements(len: usize, left: usize) -> Error {
    let taken = len - left;
    de::Error::custom(format_args!(
        "{len} elements came where {taken} are expected"
    ))
}

macro_rules! scalars {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.head()?.visit(visitor)
        }
    )*};
}

macro_rules! sequences {
    ($($name:ident($($argument:ty),*))*) => {$(
        fn $name<V: Visitor<'de>>(self, $(_: $argument,)* visitor: V) -> Result<V::Value, Error> {
            let head = self.head()?;
            self.read(head, visitor, Blobs::AreSequences)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for &mut Deserializer<'de> {
    type Error = Error;

    scalars! {
        deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_f32 deserialize_f64
    }

    sequences! {
        deserialize_seq()
        deserialize_tuple(usize)
        deserialize_tuple_struct(&'static str, usize)
    }

    serde::forward_to_deserialize_any! {
        char bytes byte_buf unit map
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let head = self.head()?;
        self.read(head, visitor, Blobs::AreBytes)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.head()? {
            Head::Text(len) => self.text(len, visitor),
            other => self.read(other, visitor, Blobs::AreBytes),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.skip()?;
        visitor.visit_unit()
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_i128(self.wide()?)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u128(self.wide()?.cast_unsigned())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.rest.split_first() {
            Some((0xC0, rest)) => {
                self.rest = rest;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name != rmp_serde::MSGPACK_EXT_STRUCT_NAME {
            return visitor.visit_newtype_struct(self);
        }
        match self.head()? {
            head @ Head::Extension(_) => self.read(head, visitor, Blobs::AreBytes),
            other => Err(other.mismatch()),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.head()? {
            Head::Nil | Head::Array(0) => visitor.visit_unit(),
            head => self.read(head, visitor, Blobs::AreBytes),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.fields(visitor)
    }

    /// A variant is its name, or a map from its name to its data.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if !matches!(self.rest.first(), Some(0x80..=0x8F | 0xDE | 0xDF)) {
            return visitor.visit_enum(Unit::new(self));
        }
        match self.head()? {
            Head::Map(1) => {
                self.open(1, 2)?;
                let value = visitor.visit_enum(Variant::new(self))?;
                self.limits.close(1);
                Ok(value)
            }
            _ => Err(de::Error::custom(
                "a map that has not one entry came where a variant of an enum is expected",
            )),
        }
    }
}
