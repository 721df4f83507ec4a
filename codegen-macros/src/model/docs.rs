//! Documentation comments as plain text.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of the documentation comments among these attributes.
pub(super) fn text(attributes: &[Attribute]) -> String {
    let comments: Vec<_> = attributes.iter().filter_map(comment).collect();
    let lines: Vec<_> = comments
        .iter()
        .flat_map(|comment| comment.lines())
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .collect();
    lines.join("\n").trim().to_owned()
}

/// One comment. An empty one is a line too: it parts two paragraphs.
fn comment(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Str(text),
        ..
    }) = &pair.value
    else {
        return None;
    };
    let text = text.value();
    pair.path.is_ident("doc").then(|| {
        if text.is_empty() {
            "\n".to_owned()
        } else {
            text
        }
    })
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn lines_are_joined_and_trimmed() {
        let attributes = [
            parse_quote!(#[doc = " First."]),
            parse_quote!(#[must_use]),
            parse_quote!(#[doc = ""]),
            parse_quote!(#[doc = "  - indented  "]),
            parse_quote!(#[doc = " last"]),
            parse_quote!(#[doc(hidden)]),
            parse_quote!(#[doc = ""]),
        ];
        assert_eq!(text(&attributes), "First.\n\n - indented\nlast");
    }

    #[test]
    fn no_documentation_is_no_text() {
        assert_eq!(text(&[parse_quote!(#[deprecated = "use `hire`"])]), "");
    }
}
