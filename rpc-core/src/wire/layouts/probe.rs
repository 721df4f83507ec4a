//! What a type reads itself from while it is explored.

use serde::de::{self, DeserializeSeed, Visitor, value::StrDeserializer};

use super::{
    dummy::{Dummy, LEVELS},
    explorer::{Explorer, Stop},
};

/// The part of a type at which a run is: where it turns, or its end.
pub(super) struct Probe<'e, 'l, 't> {
    explorer: &'e mut Explorer<'l>,
    turns: &'t [usize],
    at: usize,
}

impl<'e, 'l, 't> Probe<'e, 'l, 't> {
    /// A run that has taken the first `at` of these turns.
    pub(super) fn new(explorer: &'e mut Explorer<'l>, turns: &'t [usize], at: usize) -> Self {
        Self {
            explorer,
            turns,
            at,
        }
    }

    fn turn(&self) -> Option<usize> {
        self.turns.get(self.at).copied()
    }

    fn node<V>(self, name: &'static str, parts: usize) -> Stop {
        self.explorer.node::<V>(name, self.turns, parts)
    }

    fn leaf<T>(self) -> Result<T, Stop> {
        match self.turn() {
            None => Err(self.explorer.leaf()),
            // Was something else in another run.
            Some(_) => Err(self.explorer.give_up()),
        }
    }

    /// Takes the turn.
    fn next(self) -> Self {
        Self {
            at: self.at + 1,
            ..self
        }
    }

    /// A struct, or a variant with named fields. Each field is a part, and the last part is whether it is read from
    /// arrays at all.
    fn fields<'de, V: Visitor<'de>>(
        self,
        name: &'static str,
        variant: Option<&'static str>,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let Some(turn) = self.turn() else {
            self.explorer.add(name, variant, fields);
            let parts = fields.len() + usize::from(!fields.is_empty());
            return Err(self.node::<V>(name, parts));
        };
        match fields.get(turn) {
            Some(field) => visitor.visit_map(Entry {
                probe: Some(self.next()),
                key: Key::Field(field),
            }),
            None => visitor.visit_seq(Asked(self.explorer)),
        }
    }

    fn elements<'de, V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        let Some(turn) = self.turn() else {
            return Err(self.node::<V>("", len));
        };
        visitor.visit_seq(Element {
            before: turn,
            probe: Some(self.next()),
        })
    }
}

macro_rules! leaves {
    ($($name:ident($($argument:ty),*))*) => {$(
        fn $name<V: Visitor<'de>>(self, $(_: $argument,)* _: V) -> Result<V::Value, Stop> {
            self.leaf()
        }
    )*};
}

macro_rules! unknown {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
            Err(self.explorer.give_up())
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Probe<'_, '_, '_> {
    type Error = Stop;

    leaves! {
        deserialize_bool() deserialize_char() deserialize_str() deserialize_string()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_bytes() deserialize_byte_buf()
        deserialize_unit() deserialize_unit_struct(&'static str)
    }

    // A buffer, into which structs go without their names. And names of fields outside of a struct: it is flattened.
    unknown! { deserialize_any deserialize_ignored_any deserialize_identifier }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.turn() {
            None => Err(self.node::<V>("", 1)),
            Some(_) => visitor.visit_some(self.next()),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        match self.turn() {
            None if name == rmp_serde::MSGPACK_EXT_STRUCT_NAME => self.leaf(),
            None => Err(self.node::<V>(name, 1)),
            Some(_) => visitor.visit_newtype_struct(self.next()),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.elements(1, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.elements(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.elements(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let key = match self.turn() {
            None => return Err(self.node::<V>("", 2)),
            Some(0) => Key::Explored,
            Some(_) => Key::MadeUp,
        };
        visitor.visit_map(Entry {
            probe: Some(self.next()),
            key,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.fields(name, None, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let variant = match self.turn() {
            None => return Err(self.node::<V>(name, variants.len())),
            Some(turn) => variants.get(turn).copied(),
        };
        let Some(variant) = variant else {
            return Err(self.explorer.give_up());
        };
        visitor.visit_enum(Variant {
            probe: self.next(),
            name,
            variant,
        })
    }
}

/// An array, looked at only for whether anybody asks for its elements.
struct Asked<'e, 'l>(&'e mut Explorer<'l>);

impl<'de> de::SeqAccess<'de> for Asked<'_, '_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        _: T,
    ) -> Result<Option<T::Value>, Stop> {
        Err(self.0.leaf())
    }
}

/// An element with some made-up ones before it.
struct Element<'e, 'l, 't> {
    before: usize,
    probe: Option<Probe<'e, 'l, 't>>,
}

impl<'de> de::SeqAccess<'de> for Element<'_, '_, '_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Stop> {
        if self.before > 0 {
            self.before -= 1;
            return seed.deserialize(Dummy(LEVELS)).map(Some);
        }
        match self.probe.take() {
            Some(probe) => seed.deserialize(probe).map(Some),
            None => Ok(None),
        }
    }
}

/// One entry of a map.
struct Entry<'e, 'l, 't> {
    probe: Option<Probe<'e, 'l, 't>>,
    key: Key,
}

enum Key {
    Field(&'static str),
    MadeUp,
    Explored,
}

impl<'de> de::MapAccess<'de> for Entry<'_, '_, '_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        match (&self.key, &self.probe) {
            (_, None) => Ok(None),
            (Key::Field(name), _) => seed.deserialize(StrDeserializer::new(name)).map(Some),
            (Key::MadeUp, _) => seed.deserialize(Dummy(LEVELS)).map(Some),
            (Key::Explored, _) => match self.probe.take() {
                Some(probe) => seed.deserialize(probe).map(Some),
                None => Ok(None),
            },
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(self.probe.take().ok_or(Stop)?)
    }
}

struct Variant<'e, 'l, 't> {
    probe: Probe<'e, 'l, 't>,
    name: &'static str,
    variant: &'static str,
}

impl<'de> de::EnumAccess<'de> for Variant<'_, '_, '_> {
    type Error = Stop;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Stop> {
        let name = StrDeserializer::<Stop>::new(self.variant);
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, '_, '_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        self.probe.leaf()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stop> {
        seed.deserialize(self.probe)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.probe.elements(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.probe
            .fields(self.name, Some(self.variant), fields, visitor)
    }
}
