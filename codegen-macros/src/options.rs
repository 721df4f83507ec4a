//! Options as attributes carry them: `name = "hr.employee"`, `idempotent`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Attribute, Expr, ExprLit, Lit, LitInt, LitStr, Meta, Token, parse::Parser,
    punctuated::Punctuated,
};

use crate::{errors::Errors, suggestion};

type Metas = Punctuated<Meta, Token![,]>;

/// Somewhere that options can be given.
pub(crate) struct Place {
    /// The attribute, as errors call it.
    pub(crate) attribute: &'static str,
    /// The options that exist here.
    pub(crate) options: &'static [&'static str],
}

/// The options given in one place: each exists there, and is given once.
pub(crate) struct Options(Vec<Meta>);

impl Options {
    /// Reads what stands between the parentheses of an attribute.
    pub(crate) fn parse(tokens: TokenStream, place: &Place, errors: &mut Errors) -> Self {
        let metas = errors.take(
            Metas::parse_terminated
                .parse2(tokens)
                .map_err(|error| explain(&error, place)),
        );
        Self::check(metas.into_iter().flatten(), place, errors)
    }

    /// Reads the `#[rpc(..)]` among these attributes, and returns the others too.
    pub(crate) fn split(
        attributes: &[Attribute],
        place: &Place,
        errors: &mut Errors,
    ) -> (Self, Vec<Attribute>) {
        let (rpc, others): (Vec<_>, Vec<_>) = attributes.iter().cloned().partition(is_rpc);
        let mut metas = Vec::new();
        for attribute in rpc {
            let parsed = attribute
                .parse_args_with(Metas::parse_terminated)
                .map_err(|error| explain(&error, place));
            metas.extend(errors.take(parsed).into_iter().flatten());
        }
        (Self::check(metas, place, errors), others)
    }

    /// Whether an option that takes no value is given.
    pub(crate) fn flag(&self, name: &str, errors: &mut Errors) -> bool {
        let Some(meta) = self.get(name) else {
            return false;
        };
        if !matches!(meta, Meta::Path(_)) {
            errors.at(
                meta,
                format!("`{name}` takes no value: write `{name}` alone, or leave it out"),
            );
        }
        true
    }

    /// The text of an option; `example` is one that is right.
    pub(crate) fn text(&self, name: &str, example: &str, errors: &mut Errors) -> Option<&LitStr> {
        let meta = self.get(name)?;
        if let Meta::NameValue(pair) = meta
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) = &pair.value
        {
            return Some(text);
        }
        errors.at(
            meta,
            format!("`{name}` takes a text: write `{name} = \"{example}\"`"),
        );
        None
    }

    /// The number of an option, which is whole and not negative; `example` is one that is right.
    pub(crate) fn number(&self, name: &str, example: &str, errors: &mut Errors) -> Option<&LitInt> {
        let meta = self.get(name)?;
        if let Meta::NameValue(pair) = meta
            && let Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            }) = &pair.value
        {
            return Some(number);
        }
        errors.at(
            meta,
            format!("`{name}` takes a number: write `{name} = {example}`"),
        );
        None
    }

    /// An option, whatever its value.
    pub(crate) fn get(&self, name: &str) -> Option<&Meta> {
        self.0.iter().find(|meta| meta.path().is_ident(name))
    }

    fn check(metas: impl IntoIterator<Item = Meta>, place: &Place, errors: &mut Errors) -> Self {
        let mut options = Self(Vec::new());
        for meta in metas {
            let name = meta.path().to_token_stream().to_string().replace(' ', "");
            if !place.options.contains(&name.as_str()) {
                errors.at(meta.path(), unknown(&name, place));
            } else if options.get(&name).is_some() {
                errors.at(
                    meta.path(),
                    format!("`{name}` is given twice: keep one of them"),
                );
            } else {
                options.0.push(meta);
            }
        }
        options
    }
}

/// Whether this is `#[rpc(..)]`.
pub(crate) fn is_rpc(attribute: &Attribute) -> bool {
    attribute.path().is_ident("rpc")
}

fn unknown(name: &str, place: &Place) -> String {
    let attribute = place.attribute;
    let known = list(place);
    match suggestion::nearest(name, place.options) {
        Some(nearest) => {
            format!("{attribute} has no option `{name}`: did you mean `{nearest}`? It has {known}")
        }
        None => format!("{attribute} has no option `{name}`: it has {known}"),
    }
}

fn explain(error: &syn::Error, place: &Place) -> syn::Error {
    let message = format!(
        "{error}: {} takes options, separated by commas: {}",
        place.attribute,
        list(place)
    );
    syn::Error::new(error.span(), message)
}

fn list(place: &Place) -> String {
    let quoted: Vec<_> = place
        .options
        .iter()
        .map(|option| format!("`{option}`"))
        .collect();
    quoted.join(", ")
}
