//! Values to MessagePack.
//!
//! The bytes are those of rmp-serde's serializer, which this one stands in for since that one keeps no limits, and
//! writes structs as arrays that cannot be read back.

mod compound;

use serde::ser::{self, Serialize};

use self::compound::{Collection, Elements, Fields, Kind};
use super::{
    layouts::StructLayouts,
    limits::{Limits, OverLimit},
};

/// Why a value was not written. Thin, since each of serde's calls returns it.
#[derive(Debug)]
pub(crate) struct Error(Box<Cause>);

#[derive(Debug)]
pub(crate) enum Cause {
    Value(String),
    Over(OverLimit),
    /// A struct was begun as an array, which could not be read back: the value goes as maps.
    NotAsArray,
}

impl Error {
    pub(super) fn cause(self) -> Cause {
        *self.0
    }

    #[cold]
    fn not_as_array() -> Self {
        Self(Box::new(Cause::NotAsArray))
    }
}

impl From<OverLimit> for Error {
    #[cold]
    fn from(limit: OverLimit) -> Self {
        Self(Box::new(Cause::Over(limit)))
    }
}

impl ser::Error for Error {
    #[cold]
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(Box::new(Cause::Value(message.to_string())))
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Error {}

/// Writes a body to the end of a buffer.
#[derive(Debug)]
pub(crate) struct Serializer<'a> {
    out: &'a mut Vec<u8>,
    /// The structs that may be arrays; `None` where structs are maps.
    arrays: Option<&'a StructLayouts>,
    limits: Limits,
}

impl<'a> Serializer<'a> {
    /// Structs are maps by field name, or arrays of these layouts.
    #[inline]
    pub(super) fn new(out: &'a mut Vec<u8>, arrays: Option<&'a StructLayouts>) -> Self {
        Self {
            out,
            arrays,
            limits: Limits::new(),
        }
    }

    #[inline(always)]
    fn array(&mut self, len: usize) -> Result<(), Error> {
        self.limits.open(len)?;
        write_len(self.out, Kind::Array, len);
        Ok(())
    }

    #[inline(always)]
    fn map(&mut self, entries: usize) -> Result<(), Error> {
        self.limits.open(entries.saturating_mul(2))?;
        write_len(self.out, Kind::Map, entries);
        Ok(())
    }

    /// Begins a struct; returns the fields that are expected where it is an array.
    #[inline(always)]
    fn structure(
        &mut self,
        name: &'static str,
        variant: Option<&'static str>,
        len: usize,
    ) -> Result<&'static [&'static str], Error> {
        let Some(layouts) = self.arrays else {
            self.map(len)?;
            return Ok(&[]);
        };
        match layouts.fields(name, variant) {
            Some(fields) if fields.len() == len => {
                self.array(len)?;
                Ok(fields)
            }
            _ => Err(Error::not_as_array()),
        }
    }

    #[inline]
    fn variant(&mut self, variant: &str) -> Result<(), Error> {
        self.map(1)?;
        self.text(variant);
        Ok(())
    }

    #[inline]
    fn text(&mut self, text: &str) {
        // Memory takes everything, here and below.
        let _ = rmp::encode::write_str(self.out, text);
    }
}

const NIL: u8 = 0xC0;

#[cold]
fn some_nil() -> Error {
    ser::Error::custom(
        "a `Some` whose value is nil, such as `Some(None)` or `Some(())`, would arrive as `None`: use an enum",
    )
}

#[inline]
fn write_len(out: &mut Vec<u8>, kind: Kind, len: usize) {
    // Not over the limit of elements, which is less.
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    let _ = match kind {
        Kind::Array => rmp::encode::write_array_len(out, len),
        Kind::Map => rmp::encode::write_map_len(out, len),
    };
}

macro_rules! integers {
    ($($name:ident($ty:ty) $write:ident as $wide:ty;)*) => {$(
        #[inline]
        fn $name(self, value: $ty) -> Result<(), Error> {
            let _ = rmp::encode::$write(self.out, <$wide>::from(value));
            Ok(())
        }
    )*};
}

impl<'s, 'a> ser::Serializer for &'s mut Serializer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Collection<'s, 'a>;
    type SerializeMap = Collection<'s, 'a>;
    type SerializeTuple = Elements<'s, 'a>;
    type SerializeTupleStruct = Elements<'s, 'a>;
    type SerializeTupleVariant = Elements<'s, 'a>;
    type SerializeStruct = Fields<'s, 'a>;
    type SerializeStructVariant = Fields<'s, 'a>;

    integers! {
        serialize_i8(i8) write_sint as i64;
        serialize_i16(i16) write_sint as i64;
        serialize_i32(i32) write_sint as i64;
        serialize_i64(i64) write_sint as i64;
        serialize_u8(u8) write_uint as u64;
        serialize_u16(u16) write_uint as u64;
        serialize_u32(u32) write_uint as u64;
        serialize_u64(u64) write_uint as u64;
        serialize_f32(f32) write_f32 as f32;
        serialize_f64(f64) write_f64 as f64;
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.out.push(if value { 0xC3 } else { 0xC2 });
        Ok(())
    }

    #[inline]
    fn serialize_i128(self, value: i128) -> Result<(), Error> {
        self.serialize_bytes(&value.to_be_bytes())
    }

    #[inline]
    fn serialize_u128(self, value: u128) -> Result<(), Error> {
        self.serialize_bytes(&value.to_be_bytes())
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.text(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.text(value);
        Ok(())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        let _ = rmp::encode::write_bin(self.out, value);
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        let start = self.out.len();
        value.serialize(&mut *self)?;
        if self.out.get(start..) == Some(&[NIL]) {
            return Err(some_nil());
        }
        Ok(())
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Error> {
        self.out.push(NIL);
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.array(0)?;
        self.limits.close(1);
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.text(variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        if name == rmp_serde::MSGPACK_EXT_STRUCT_NAME {
            // An extension: a tag and bytes, and nothing inside.
            return rmp_serde::Serializer::new(&mut *self.out)
                .serialize_newtype_struct(name, value)
                .map_err(ser::Error::custom);
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(variant)?;
        value.serialize(&mut *self)?;
        self.limits.close(1);
        Ok(())
    }

    #[inline(always)]
    fn serialize_seq(self, len: Option<usize>) -> Result<Collection<'s, 'a>, Error> {
        Collection::new(self, Kind::Array, len)
    }

    #[inline(always)]
    fn serialize_map(self, len: Option<usize>) -> Result<Collection<'s, 'a>, Error> {
        Collection::new(self, Kind::Map, len)
    }

    #[inline(always)]
    fn serialize_tuple(self, len: usize) -> Result<Elements<'s, 'a>, Error> {
        self.array(len)?;
        Ok(Elements::new(self, len, 1))
    }

    #[inline]
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        len: usize,
    ) -> Result<Elements<'s, 'a>, Error> {
        self.serialize_tuple(len)
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Elements<'s, 'a>, Error> {
        self.variant(variant)?;
        self.array(len)?;
        Ok(Elements::new(self, len, 2))
    }

    #[inline(always)]
    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Fields<'s, 'a>, Error> {
        let expected = self.structure(name, None, len)?;
        Ok(Fields::new(self, expected, len, 1))
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Fields<'s, 'a>, Error> {
        self.variant(variant)?;
        let expected = self.structure(name, Some(variant), len)?;
        Ok(Fields::new(self, expected, len, 2))
    }
}
