//! Extensions, as rmp-serde has them: a newtype of a tag and bytes.

use serde::de::{
    self, DeserializeSeed, IntoDeserializer as _, Visitor,
    value::{BorrowedBytesDeserializer, I8Deserializer},
};

use super::Error;

/// A tag and bytes, in this order.
pub(super) struct Extension<'de> {
    bytes: &'de [u8],
    next: Part,
}

enum Part {
    Tag,
    Bytes,
    End,
}

impl<'de> Extension<'de> {
    /// Of the tag and what follows it.
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self {
            bytes,
            next: Part::Tag,
        }
    }
}

impl<'de> de::Deserializer<'de> for Extension<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(self)
    }

    serde::forward_to_deserialize_any! {
        bool u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 char str string unit option seq bytes byte_buf map unit_struct
        newtype_struct struct identifier tuple enum ignored_any tuple_struct
    }
}

impl<'de> de::SeqAccess<'de> for Extension<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        match self.next {
            Part::Tag => {
                let (tag, bytes) = self.bytes.split_first().ok_or_else(Error::truncated)?;
                (self.bytes, self.next) = (bytes, Part::Bytes);
                let tag: I8Deserializer<_> = tag.cast_signed().into_deserializer();
                seed.deserialize(tag).map(Some)
            }
            Part::Bytes => {
                self.next = Part::End;
                seed.deserialize(BorrowedBytesDeserializer::new(self.bytes))
                    .map(Some)
            }
            Part::End => Ok(None),
        }
    }
}
