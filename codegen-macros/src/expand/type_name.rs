//! Types as people write them: `Vec<Employee>`, not `Vec < Employee >`.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Type;

/// The spelling of a type, for the schema.
pub(super) fn of(ty: &Type) -> String {
    let mut text = String::new();
    write(ty.to_token_stream(), &mut text);
    text
}

fn write(tokens: TokenStream, text: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
            }
            TokenTree::Punct(punct) => match (punct.as_char(), punct.spacing()) {
                (mark @ (',' | ';'), _) => text.extend([mark, ' ']),
                (mark @ ('+' | '='), Spacing::Alone) => text.extend([' ', mark, ' ']),
                (mark, _) => text.push(mark),
            },
            word => {
                if text.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_') {
                    text.push(' ');
                }
                text.push_str(&word.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_spelled_as_written() {
        for spelling in [
            "u8",
            "()",
            "Vec<Employee>",
            "(u8, Option<String>)",
            "[u8; 4]",
            "std::collections::HashMap<String, Vec<u8>>",
            "Cow<'static, str>",
            "Box<dyn Shape + Send>",
            "<Database as Store>::Key",
        ] {
            assert_eq!(of(&syn::parse_str(spelling).unwrap()), spelling);
        }
    }
}
