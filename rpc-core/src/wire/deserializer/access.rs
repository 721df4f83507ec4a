//! What serde's visitors take the parts of a value from.

use serde::de::{self, DeserializeSeed, Error as _, Unexpected, Visitor};

use super::{Deserializer, Error};

/// The elements of an array, or the entries of a map, that are left.
pub(super) struct Parts<'r, 'de> {
    reader: &'r mut Deserializer<'de>,
    left: usize,
}

impl<'r, 'de> Parts<'r, 'de> {
    #[inline]
    pub(super) fn new(reader: &'r mut Deserializer<'de>, len: usize) -> Self {
        Self { reader, left: len }
    }

    #[inline]
    pub(super) fn left(&self) -> usize {
        self.left
    }

    #[inline]
    fn next<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'de> de::SeqAccess<'de> for Parts<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.next(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> de::MapAccess<'de> for Parts<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.next(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// The name of a variant, without data.
pub(super) struct Unit<'r, 'de>(&'r mut Deserializer<'de>);

impl<'r, 'de> Unit<'r, 'de> {
    #[inline]
    pub(super) fn new(reader: &'r mut Deserializer<'de>) -> Self {
        Self(reader)
    }
}

impl<'de> de::EnumAccess<'de> for Unit<'_, 'de> {
    type Error = Error;
    type Variant = NoData;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, NoData), Error> {
        Ok((seed.deserialize(self.0)?, NoData))
    }
}

/// The data of a variant that came as its name.
pub(super) struct NoData;

impl NoData {
    #[cold]
    fn refused<T>(expected: &str) -> Result<T, Error> {
        Err(Error::invalid_type(Unexpected::UnitVariant, &expected))
    }
}

impl<'de> de::VariantAccess<'de> for NoData {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Error> {
        Self::refused("newtype variant")
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Self::refused("tuple variant")
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        Self::refused("struct variant")
    }
}

/// The name and the data of a variant.
pub(super) struct Variant<'r, 'de>(&'r mut Deserializer<'de>);

impl<'r, 'de> Variant<'r, 'de> {
    #[inline]
    pub(super) fn new(reader: &'r mut Deserializer<'de>) -> Self {
        Self(reader)
    }
}

impl<'de> de::EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        Ok((seed.deserialize(&mut *self.0)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        de::Deserialize::deserialize(self.0)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_tuple(self.0, len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.fields(visitor)
    }
}
