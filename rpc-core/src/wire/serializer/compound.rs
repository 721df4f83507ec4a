//! Values that hold others.

use serde::ser::{self, Error as _, Serialize};

use super::{Error, Serializer, write_len};

/// Whether it holds values, or keys and values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Array,
    Map,
}

/// A sequence or a map, which may not know its length before its end.
pub(crate) struct Collection<'s, 'a> {
    serializer: &'s mut Serializer<'a>,
    kind: Kind,
    length: Length,
}

enum Length {
    /// Written already; what is left of it.
    Announced(usize),
    /// Put at the place of the byte at `start` when all has been written.
    Counted { start: usize, count: usize },
}

impl<'s, 'a> Collection<'s, 'a> {
    #[inline(always)]
    pub(super) fn new(
        serializer: &'s mut Serializer<'a>,
        kind: Kind,
        len: Option<usize>,
    ) -> Result<Self, Error> {
        let length = match (len, kind) {
            (Some(len), Kind::Array) => {
                serializer.array(len)?;
                Length::Announced(len)
            }
            (Some(len), Kind::Map) => {
                serializer.map(len)?;
                Length::Announced(len)
            }
            (None, _) => {
                serializer.limits.open(0)?;
                let start = serializer.out.len();
                serializer.out.push(0);
                Length::Counted { start, count: 0 }
            }
        };
        Ok(Self {
            serializer,
            kind,
            length,
        })
    }

    #[inline]
    fn next(&mut self) -> Result<(), Error> {
        match &mut self.length {
            Length::Announced(left) => *left = left.checked_sub(1).ok_or_else(wrong_length)?,
            Length::Counted { count, .. } => {
                *count += 1;
                self.serializer.limits.count(match self.kind {
                    Kind::Array => 1,
                    Kind::Map => 2,
                })?;
            }
        }
        Ok(())
    }

    #[inline]
    fn finish(self) -> Result<(), Error> {
        match self.length {
            Length::Announced(0) => {}
            Length::Announced(_) => return Err(wrong_length()),
            Length::Counted { start, count } => {
                let mut head = Vec::with_capacity(5);
                write_len(&mut head, self.kind, count);
                self.serializer.out.splice(start..=start, head);
            }
        }
        self.serializer.limits.close(1);
        Ok(())
    }
}

#[cold]
fn wrong_length() -> Error {
    Error::custom("its `Serialize` announces a length and writes another number of elements")
}

impl ser::SerializeSeq for Collection<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.next()?;
        value.serialize(&mut *self.serializer)
    }

    #[inline]
    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::SerializeMap for Collection<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.next()?;
        key.serialize(&mut *self.serializer)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut *self.serializer)
    }

    #[inline]
    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

/// A tuple, or what is like one.
pub(crate) struct Elements<'s, 'a> {
    serializer: &'s mut Serializer<'a>,
    left: usize,
    levels: usize,
}

impl<'s, 'a> Elements<'s, 'a> {
    #[inline(always)]
    pub(super) fn new(serializer: &'s mut Serializer<'a>, len: usize, levels: usize) -> Self {
        Self {
            serializer,
            left: len,
            levels,
        }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.left = self.left.checked_sub(1).ok_or_else(wrong_length)?;
        value.serialize(&mut *self.serializer)
    }

    #[inline]
    fn finish(self) -> Result<(), Error> {
        if self.left > 0 {
            return Err(wrong_length());
        }
        self.serializer.limits.close(self.levels);
        Ok(())
    }
}

impl ser::SerializeTuple for Elements<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.element(value)
    }

    #[inline]
    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

macro_rules! parts {
    ($holder:ident: $($trait:ident($($key:ident: $ty:ty)?))*) => {$(
        impl ser::$trait for $holder<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                $($key: $ty,)?
                value: &T,
            ) -> Result<(), Error> {
                self.element($($key,)? value)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        }
    )*};
}

parts!(Elements: SerializeTupleStruct() SerializeTupleVariant());
parts!(Fields: SerializeStruct(key: &'static str) SerializeStructVariant(key: &'static str));

/// A struct.
pub(crate) struct Fields<'s, 'a> {
    elements: Elements<'s, 'a>,
    /// Fields that its reader will look for next, where it is an array.
    expected: &'static [&'static str],
}

impl<'s, 'a> Fields<'s, 'a> {
    #[inline(always)]
    pub(super) fn new(
        serializer: &'s mut Serializer<'a>,
        expected: &'static [&'static str],
        len: usize,
        levels: usize,
    ) -> Self {
        Self {
            elements: Elements::new(serializer, len, levels),
            expected,
        }
    }

    fn element<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        if self.elements.serializer.arrays.is_none() {
            self.elements.serializer.text(key);
        } else {
            self.expected = match self.expected {
                [expected, rest @ ..] if *expected == key => rest,
                _ => return Err(Error::not_as_array()),
            };
        }
        self.elements.element(value)
    }

    #[inline]
    fn finish(self) -> Result<(), Error> {
        self.elements.finish()
    }
}
