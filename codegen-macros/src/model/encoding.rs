//! How structs are written.

use syn::LitStr;

/// What a struct becomes on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// A map from the names of its fields.
    Map,
    /// An array of its fields.
    Array,
}

impl Encoding {
    pub(super) fn parse(text: &LitStr) -> syn::Result<Self> {
        match text.value().as_str() {
            "map" => Ok(Self::Map),
            "array" => Ok(Self::Array),
            other => {
                let message = format!(
                    "`{other}` is not an encoding: \
                     write `\"map\"`, which allows for new fields, or `\"array\"`, which is smaller"
                );
                Err(syn::Error::new_spanned(text, message))
            }
        }
    }
}
