//! A method of a service.

use std::time::Duration;

use proc_macro2::Ident;
use syn::{Attribute, FnArg, LitStr, Signature, TraitItemFn, Type, ext::IdentExt};

use super::{Argument, docs, owned, result::Returns, signature};
use crate::{
    duration,
    errors::Errors,
    name,
    options::{Options, Place},
};

const PLACE: Place = Place {
    attribute: "`#[rpc(..)]` of a method",
    options: &["idempotent", "timeout", "name", "encoding"],
};

/// As many as serde writes as one tuple.
const MOST_ARGUMENTS: usize = 16;

/// What `client.name(..)` would find before, or beside, a method of the trait: what the client has itself, and what
/// every `Clone` type has from the prelude.
const TAKEN: [&str; 10] = [
    "connect",
    "connect_via",
    "new",
    "local",
    "with",
    "schema",
    "clone",
    "to_owned",
    "into",
    "try_into",
];

/// A method that can be called from elsewhere.
pub(crate) struct Method {
    /// Attributes other than `#[rpc(..)]`.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) ident: Ident,
    pub(crate) wire_name: String,
    pub(crate) docs: String,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) returns: Returns,
    pub(crate) idempotent: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) encoding: Option<Encoding>,
}

/// How structs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Map,
    Array,
}

impl Method {
    pub(super) fn parse(item: &TraitItemFn, errors: &mut Errors) -> Option<Self> {
        let signature = &item.sig;
        refuse_cfg(&item.attrs, "a method", errors);
        let (options, attributes) = Options::split(&item.attrs, &PLACE, errors);
        let wire_name = wire_name(&options, &signature.ident, errors);
        let idempotent = options.flag("idempotent", errors);
        let timeout = options
            .text("timeout", "300ms", errors)
            .and_then(|text| errors.take(duration::parse(text)));
        let encoding = options
            .text("encoding", "map", errors)
            .and_then(|text| errors.take(encoding(text)));
        refuse_taken_name(&signature.ident, errors);
        signature::check(signature, errors);
        let arguments = arguments(signature, errors);
        let returns = returns(signature, errors);
        if let Some(body) = &item.default {
            errors.at(body, "a method of a service has no body here, as the client has to send every call: move it to the implementation");
        }
        Some(Self {
            attributes,
            ident: signature.ident.clone(),
            wire_name,
            docs: docs::text(&item.attrs),
            arguments,
            returns: returns?,
            idempotent,
            timeout,
            encoding,
        })
    }
}

/// Both ends have to see the same trait, whatever features they are built with.
pub(super) fn refuse_cfg(attributes: &[Attribute], what: &str, errors: &mut Errors) {
    for attribute in attributes {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            errors.at(
                attribute,
                format!("{what} cannot depend on the build, as both ends have to agree on it: put the `cfg` on the trait"),
            );
        }
    }
}

fn refuse_taken_name(ident: &Ident, errors: &mut Errors) {
    let name = ident.unraw().to_string();
    if TAKEN.contains(&name.as_str()) {
        errors.at(
            ident,
            format!(
                "the client has its own `{name}`: \
                 take another name here, and keep this one on the wire with `#[rpc(name = \"{name}\")]`"
            ),
        );
    }
}

fn arguments(signature: &Signature, errors: &mut Errors) -> Vec<Argument> {
    let typed: Vec<_> = signature.inputs.iter().filter_map(typed).collect();
    if let Some(excess) = typed.get(MOST_ARGUMENTS) {
        errors.at(
            excess,
            format!(
                "a method takes up to {MOST_ARGUMENTS} arguments: put some of them into a struct"
            ),
        );
    }
    let arguments: Vec<_> = typed
        .into_iter()
        .filter_map(|argument| Argument::parse(argument, errors))
        .collect();
    check_defaults(&arguments, errors);
    arguments
}

fn typed(argument: &FnArg) -> Option<&syn::PatType> {
    match argument {
        FnArg::Typed(argument) => Some(argument),
        FnArg::Receiver(_) => None,
    }
}

fn check_defaults(arguments: &[Argument], errors: &mut Errors) {
    let mut optional = None;
    for argument in arguments {
        match (&argument.default, optional) {
            (Some(_), _) => optional = Some(&argument.ident),
            (None, None) => {}
            (None, Some(before)) => errors.at(
                &argument.ident,
                format!(
                    "arguments travel by position, so those with a default come last: \
                     move `{}` before `{before}`, or give it a default too",
                    argument.ident
                ),
            ),
        }
    }
}

fn returns(signature: &Signature, errors: &mut Errors) -> Option<Returns> {
    // `fn get(&self) -> impl Future<..>` has one fault, which is told where `async` is missing.
    let spelled_out = matches!(&signature.output, syn::ReturnType::Type(_, ty) if matches!(**ty, Type::ImplTrait(_)));
    if spelled_out && signature.asyncness.is_none() {
        return None;
    }
    let returns = Returns::parse(signature, errors)?;
    owned::check(&returns.value, errors);
    owned::check(&returns.error, errors);
    Some(returns)
}

fn wire_name(options: &Options, ident: &Ident, errors: &mut Errors) -> String {
    let given = options
        .text("name", "fetch", errors)
        .map(|text| name::parse(text, "method name"));
    let own = || {
        name::parse(
            &LitStr::new(&ident.unraw().to_string(), ident.span()),
            "method name",
        )
    };
    errors.take(given.unwrap_or_else(own)).unwrap_or_default()
}

fn encoding(text: &LitStr) -> syn::Result<Encoding> {
    match text.value().as_str() {
        "map" => Ok(Encoding::Map),
        "array" => Ok(Encoding::Array),
        other => {
            let message = format!(
                "`{other}` is not an encoding: write `\"map\"`, which allows for new fields, or `\"array\"`, which is smaller"
            );
            Err(syn::Error::new(text.span(), message))
        }
    }
}
