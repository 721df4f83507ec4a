//! Enums whose variants have a name outside of Rust: in a database, in a file, on a command line.

use std::fmt;

/// Defines such an enum, with `Display` and `FromStr` by these names.
macro_rules! named {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident {
            $($(#[$variant_attribute:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_attribute])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// The name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::named::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::named::UnknownName::new(text, &[$($text),+])),
                }
            }
        }
    };
}

pub(crate) use named;

/// A text that names no variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    text: String,
    accepted: &'static [&'static str],
}

impl UnknownName {
    pub(crate) fn new(text: &str, accepted: &'static [&'static str]) -> Self {
        Self {
            text: text.to_owned(),
            accepted,
        }
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accepted = self.accepted.join(" or ");
        write!(f, "{:?} is not known; write {accepted}", self.text)
    }
}

impl std::error::Error for UnknownName {}
