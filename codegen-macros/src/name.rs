//! Names as they appear on the wire and in the registry.

use std::fmt;

use syn::{Ident, LitStr, ext::IdentExt};

use crate::errors::Errors;

/// What a name belongs to, and so how it may look.
///
/// Services and versions are parts of a registry's keys: the rule is `is_name` of `registry/src/key.rs`, to be changed
/// with it. Methods are only in routes, where the protocol asks for less.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Service,
    Version,
    Method,
}

impl Kind {
    /// The word for it in an error.
    fn what(self) -> &'static str {
        match self {
            Self::Service => "service name",
            Self::Version => "version",
            Self::Method => "method name",
        }
    }

    /// Bytes of the longest one; those of a registry's name are its characters as well.
    fn longest(self) -> usize {
        match self {
            Self::Service | Self::Version => 128,
            Self::Method => 255,
        }
    }

    /// What `longest` counts, for people.
    fn unit(self) -> &'static str {
        match self {
            Self::Service | Self::Version => "characters",
            Self::Method => "bytes",
        }
    }

    fn allows(self, letter: char) -> bool {
        match self {
            Self::Service | Self::Version => {
                letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-')
            }
            Self::Method => {
                letter != '/' && (letter.is_ascii_graphic() || letter.is_alphanumeric())
            }
        }
    }

    fn allows_first(self, letter: char) -> bool {
        match self {
            Self::Service | Self::Version => letter != '.',
            Self::Method => true,
        }
    }

    fn fault(self, name: &str) -> Option<String> {
        let Some(first) = name.chars().next() else {
            return Some("this is empty".to_owned());
        };
        if let Some(foreign) = name.chars().find(|&letter| !self.allows(letter)) {
            return Some(format!("this has a {foreign:?} in it"));
        }
        if !self.allows_first(first) {
            return Some(format!("this starts with a {first:?}"));
        }
        (name.len() > self.longest()).then(|| format!("this has {} {}", name.len(), self.unit()))
    }

    /// What to do about an item whose own name cannot be one.
    fn mend(self) -> &'static str {
        match self {
            Self::Service | Self::Version => "give it a name with `#[service(name = \"..\")]`",
            Self::Method => "give it a name with `#[rpc(name = \"..\")]`",
        }
    }
}

/// The rule, as an error tells it.
impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, longest, unit) = (self.what(), self.longest(), self.unit());
        write!(formatter, "a {what} has 1 to {longest} {unit}")?;
        formatter.write_str(match self {
            Self::Service | Self::Version => " of `A-Z a-z 0-9 . _ -` and no dot in front",
            Self::Method => " of letters, digits and punctuation, without spaces or `/`",
        })
    }
}

/// Reads a given name.
///
/// # Errors
///
/// When it cannot be one; the error points at the literal.
pub(crate) fn parse(literal: &LitStr, kind: Kind) -> syn::Result<String> {
    let name = literal.value();
    match kind.fault(&name) {
        None => Ok(name),
        Some(fault) => Err(syn::Error::new_spanned(literal, format!("{fault}: {kind}"))),
    }
}

/// The name given in an option, or that of the item itself.
pub(crate) fn given_or_own(
    given: Option<&LitStr>,
    ident: &Ident,
    kind: Kind,
    errors: &mut Errors,
) -> String {
    let own = ident.unraw().to_string();
    if let Some(literal) = given {
        return errors.take(parse(literal, kind)).unwrap_or(own);
    }
    if let Some(fault) = kind.fault(&own) {
        errors.at(ident, format!("{fault}: {kind}; {}", kind.mend()));
    }
    own
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    const REGISTRY: [Kind; 2] = [Kind::Service, Kind::Version];

    #[test]
    fn usual_names_pass() {
        let longest = "n".repeat(128);
        for name in [
            "hr.employee-v2_x",
            "EmployeeService",
            "1",
            "2024-06",
            "1.0",
            "-",
            "_",
            "a.",
            "a..b",
            &longest,
        ] {
            for kind in REGISTRY {
                assert_eq!(kind.fault(name), None, "{kind:?} {name}");
            }
            assert_eq!(Kind::Method.fault(name), None, "{name}");
        }
    }

    #[test]
    fn methods_have_more_to_choose_from() {
        let longest = "n".repeat(255);
        for name in ["prüfung", "社員", "get!", ".get", "a:b", &longest] {
            assert_eq!(Kind::Method.fault(name), None, "{name}");
        }
    }

    #[test]
    fn what_no_registry_can_hold_is_no_service_or_version() {
        let too_long = "n".repeat(129);
        let cases = [
            ("", "this is empty"),
            ("hr employee", "this has a ' ' in it"),
            ("hr/employee", "this has a '/' in it"),
            (r"hr\employee", r"this has a '\\' in it"),
            ("hr:employee", "this has a ':' in it"),
            ("prüfung", "this has a 'ü' in it"),
            ("社員", "this has a '社' in it"),
            ("hr\0", r"this has a '\0' in it"),
            (".hr", "this starts with a '.'"),
            (".", "this starts with a '.'"),
            ("..", "this starts with a '.'"),
            (&too_long, "this has 129 characters"),
        ];
        for (name, expected) in cases {
            for kind in REGISTRY {
                assert_eq!(kind.fault(name).as_deref(), Some(expected), "{kind:?}");
            }
        }
    }

    #[test]
    fn what_no_route_can_hold_is_no_method() {
        let too_long = "é".repeat(128);
        let cases = [
            ("", "this is empty"),
            ("get all", "this has a ' ' in it"),
            ("get/all", "this has a '/' in it"),
            ("get\n", r"this has a '\n' in it"),
            ("get\u{200b}", r"this has a '\u{200b}' in it"),
            (&too_long, "this has 256 bytes"),
        ];
        for (name, expected) in cases {
            assert_eq!(Kind::Method.fault(name).as_deref(), Some(expected));
        }
    }

    #[test]
    fn an_item_whose_own_name_does_not_fit_is_told_where_to_put_another() {
        for (own, kind, mend) in [
            (
                "Prüfung",
                Kind::Service,
                "; give it a name with `#[service(name = \"..\")]`",
            ),
            (
                "क्या",
                Kind::Method,
                "; give it a name with `#[rpc(name = \"..\")]`",
            ),
        ] {
            let ident = Ident::new(own, Span::call_site());
            let mut errors = Errors::default();
            given_or_own(None, &ident, kind, &mut errors);
            let message = errors.into_error().map(|error| error.to_string());
            assert!(
                message.is_some_and(|message| message.ends_with(mend)),
                "{own}"
            );

            let mut errors = Errors::default();
            let given = LitStr::new("review", Span::call_site());
            assert_eq!(
                given_or_own(Some(&given), &ident, kind, &mut errors),
                "review"
            );
            assert!(errors.into_error().is_none(), "{own}");
        }
    }
}
