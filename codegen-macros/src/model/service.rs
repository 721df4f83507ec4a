//! A service: the trait, its options and its methods.

use proc_macro2::{Ident, Span, TokenStream};
use quote::format_ident;
use syn::{
    Attribute, ItemTrait, Path, Token, TypeParamBound, Visibility, ext::IdentExt, parse_quote,
    punctuated::Punctuated,
};

use super::{Method, docs, methods};
use crate::{
    errors::Errors,
    name,
    options::{self, Options, Place},
};

const PLACE: Place = Place {
    attribute: "`#[service(..)]`",
    options: &["name", "version", "crate"],
};

/// The bounds after a trait's name.
pub(crate) type Supertraits = Punctuated<TypeParamBound, Token![+]>;

/// A trait whose methods can be called from elsewhere.
pub(crate) struct Service {
    /// Attributes of the trait, docs among them.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) ident: Ident,
    /// The trait's own supertraits.
    pub(crate) supertraits: Supertraits,
    pub(crate) wire_name: String,
    pub(crate) version: String,
    pub(crate) docs: String,
    /// Where the facade is.
    pub(crate) facade: Path,
    pub(crate) methods: Vec<Method>,
}

impl Service {
    /// Reads a trait with the options of its `#[service(..)]`.
    ///
    /// What is wrong goes to `errors`; the service is fit for use only if there is nothing.
    pub(crate) fn parse(options: TokenStream, item: &ItemTrait, errors: &mut Errors) -> Self {
        let options = Options::parse(options, &PLACE, errors);
        refuse_misplaced_rpc(item, errors);
        refuse_modifiers(item, errors);
        let given_name = options.text("name", "hr.employee", errors);
        Self {
            attributes: item
                .attrs
                .iter()
                .filter(|attribute| !options::is_rpc(attribute))
                .cloned()
                .collect(),
            visibility: item.vis.clone(),
            ident: item.ident.clone(),
            supertraits: item.supertraits.clone(),
            wire_name: name::given_or_own(given_name, &item.ident, name::Kind::Service, errors),
            version: version(&options, errors),
            docs: docs::text(&item.attrs),
            facade: facade(&options, errors),
            methods: methods::parse(item, errors),
        }
    }

    /// Name of the client.
    pub(crate) fn client(&self) -> Ident {
        self.derived("Client")
    }

    /// Name of the server.
    pub(crate) fn server(&self) -> Ident {
        self.derived("Server")
    }

    fn derived(&self, ending: &str) -> Ident {
        let name = self.ident.unraw().to_string();
        let stem = name
            .strip_suffix("Service")
            .filter(|stem| !stem.is_empty())
            .unwrap_or(&name);
        // Shown where the trait's name is, but made here, so that lints about the user's code leave it alone.
        format_ident!(
            "{stem}{ending}",
            span = Span::call_site().located_at(self.ident.span())
        )
    }
}

fn refuse_misplaced_rpc(item: &ItemTrait, errors: &mut Errors) {
    for attribute in item
        .attrs
        .iter()
        .filter(|attribute| options::is_rpc(attribute))
    {
        let message = "`#[rpc(..)]` goes on methods and arguments: \
                       options of the service go into `#[service(..)]`";
        errors.at(attribute, message);
    }
}

fn refuse_modifiers(item: &ItemTrait, errors: &mut Errors) {
    if let Some(unsafety) = &item.unsafety {
        errors.at(
            unsafety,
            "a service cannot be `unsafe`, as no caller elsewhere can keep its terms: leave it out",
        );
    }
    if let Some(auto) = &item.auto_token {
        errors.at(auto, "a service cannot be an `auto` trait: leave it out");
    }
    if !item.generics.params.is_empty() {
        let message = "a service cannot be generic, as the other side has to know the types: \
                       name them, or write one trait for each";
        errors.at(&item.generics, message);
    }
    if let Some(bounds) = &item.generics.where_clause {
        errors.at(
            bounds,
            "a service has no `where`: bounds of `Self` go after the trait's name, as supertraits",
        );
    }
}

fn version(options: &Options, errors: &mut Errors) -> String {
    let given = options.text("version", "1", errors);
    given
        .and_then(|text| errors.take(name::parse(text, name::Kind::Version)))
        .unwrap_or_else(|| "1".to_owned())
}

fn facade(options: &Options, errors: &mut Errors) -> Path {
    let given = options.text("crate", "::doge_rpc", errors).map(|text| {
        text.parse_with(Path::parse_mod_style).map_err(|_| {
            let message = format!(
                "`{}` is not a path: write `crate = \"::doge_rpc\"`, or where else the crate is",
                text.value()
            );
            syn::Error::new_spanned(text, message)
        })
    });
    given
        .and_then(|path| errors.take(path))
        .unwrap_or_else(|| parse_quote!(::doge_rpc))
}
