//! Names as they appear on the wire and in the registry.

use syn::{Ident, LitStr, ext::IdentExt};

use crate::errors::Errors;

/// As long as a name on the wire can be, in bytes.
const LONGEST: usize = 255;

/// Reads a name of a service or method, or a version; `what` is the word for it in the error.
///
/// # Errors
///
/// When it cannot be one; the error points at the literal.
pub(crate) fn parse(literal: &LitStr, what: &str) -> syn::Result<String> {
    let name = literal.value();
    match fault(&name) {
        None => Ok(name),
        Some(fault) => Err(syn::Error::new_spanned(
            literal,
            format!(
                "{fault}: a {what} has 1 to {LONGEST} bytes of letters, digits and punctuation, without spaces or `/`"
            ),
        )),
    }
}

/// The name given in an option, or that of the item itself; `what` is the word for it in the error.
pub(crate) fn given_or_own(
    given: Option<&LitStr>,
    ident: &Ident,
    what: &str,
    errors: &mut Errors,
) -> String {
    let own = ident.unraw().to_string();
    let literal = given
        .cloned()
        .unwrap_or_else(|| LitStr::new(&own, ident.span()));
    errors.take(parse(&literal, what)).unwrap_or(own)
}

fn fault(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("this is empty".to_owned());
    }
    if name.len() > LONGEST {
        return Some(format!("this has {} bytes", name.len()));
    }
    let foreign = name.chars().find(|&letter| {
        letter == '/' || !(letter.is_ascii_graphic() || letter.is_alphanumeric())
    })?;
    Some(format!("this has a {foreign:?} in it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_pass() {
        let longest = "n".repeat(LONGEST);
        for name in [
            "hr.employee",
            "EmployeeService",
            "1",
            "2024-06",
            "prüfung",
            "社員",
            &longest,
        ] {
            assert_eq!(fault(name), None, "{name}");
        }
    }

    #[test]
    fn others_say_what_is_wrong_with_them() {
        let too_long = "é".repeat(128);
        let cases = [
            ("", "this is empty"),
            ("hr employee", "this has a ' ' in it"),
            ("hr/employee", "this has a '/' in it"),
            ("hr\n", r"this has a '\n' in it"),
            ("hr\u{200b}", r"this has a '\u{200b}' in it"),
            (&too_long, "this has 256 bytes"),
        ];
        for (name, expected) in cases {
            assert_eq!(fault(name).as_deref(), Some(expected));
        }
    }
}
