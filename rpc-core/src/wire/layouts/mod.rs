//! Which structs can be read back from arrays.
//!
//! A struct that is written as an array is read by the order of its elements alone. Whether its reader sees the same
//! order, and asks for a struct at all, is not for its writer to know: serde reads tagged, untagged and flattened types
//! out of a buffer in which names are missed, may write a field that it does not read, and the other way round. So the
//! types of a method are asked once how they read themselves, and a struct goes as an array only where the answer
//! proves that what is written is what will be read.

mod dummy;
mod explorer;
mod probe;

use serde::de::DeserializeOwned;

use self::explorer::Explorer;

/// The structs of some types, with their fields in the order in which arrays of them are read.
///
/// ```
/// use doge_rpc_core::{schema::Encoding, wire::{self, StructLayouts}};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Point {
///     x: u8,
///     y: u8,
/// }
///
/// let layouts = StructLayouts::of(&[wire::explore::<Point>]);
/// let bytes = wire::encode(&Point { x: 1, y: 2 }, Encoding::Array(&layouts))?;
/// assert_eq!(bytes, b"\x92\x01\x02"[..]);
/// # Ok::<(), wire::EncodeError>(())
/// ```
#[derive(Debug)]
pub struct StructLayouts {
    structs: Vec<Layout>,
    /// All types were explored to their ends, and none reads structs out of a buffer.
    complete: bool,
}

#[derive(Debug)]
struct Layout {
    name: &'static str,
    variant: Option<&'static str>,
    /// `None` when two structs of this name differ.
    fields: Option<&'static [&'static str]>,
}

/// Adds the structs of a type: [`explore`] of it.
pub type TypeExplorer = fn(&mut StructLayouts);

/// Adds the structs of `T`.
pub fn explore<T: DeserializeOwned>(layouts: &mut StructLayouts) {
    Explorer::new(layouts).explore::<T>();
}

impl StructLayouts {
    /// The structs of these types. Calls each type's `Deserialize` with made-up values, once for each struct, field and
    /// variant in it.
    pub fn of(types: &[TypeExplorer]) -> Self {
        let mut layouts = Self {
            structs: Vec::new(),
            complete: true,
        };
        for explore in types {
            explore(&mut layouts);
        }
        layouts
    }

    /// Whether structs of these types may be arrays. Not so when one of the types is tagged, untagged or flattened, or
    /// cannot be explored, such as a tuple that begins with a text of a certain form.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The fields of a struct, or of a variant with named fields, in the order in which they are read from an array;
    /// `None` when they cannot be.
    #[inline]
    pub(super) fn fields(
        &self,
        name: &str,
        variant: Option<&str>,
    ) -> Option<&'static [&'static str]> {
        if !self.complete {
            return None;
        }
        self.structs
            .iter()
            .find(|layout| layout.name == name && layout.variant == variant)?
            .fields
    }

    fn add(
        &mut self,
        name: &'static str,
        variant: Option<&'static str>,
        fields: &'static [&'static str],
    ) {
        let known = self
            .structs
            .iter_mut()
            .find(|layout| layout.name == name && layout.variant == variant);
        match known {
            Some(layout) if layout.fields == Some(fields) => {}
            Some(layout) => layout.fields = None,
            None => self.structs.push(Layout {
                name,
                variant,
                fields: Some(fields),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
