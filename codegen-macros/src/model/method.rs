//! A method of a service.

use std::time::Duration;

use proc_macro2::Ident;
use syn::{Attribute, TraitItemFn, ext::IdentExt};

use super::{Argument, Attempts, Encoding, cfg, docs, result::Returns, signature};
use crate::{
    duration,
    errors::Errors,
    name,
    options::{Options, Place},
};

const PLACE: Place = Place {
    attribute: "`#[rpc(..)]` of a method",
    options: &[
        "idempotent",
        "retries",
        "hedge",
        "timeout",
        "name",
        "encoding",
    ],
};

/// What `client.name(..)` would find before, or beside, a method of the trait: what the client has itself, and what
/// every `Clone` type has from the prelude.
const TAKEN: [&str; 11] = [
    "connect",
    "connect_via",
    "cluster",
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
    pub(crate) attempts: Attempts,
    pub(crate) timeout: Option<Duration>,
    pub(crate) encoding: Option<Encoding>,
}

impl Method {
    pub(super) fn parse(item: &TraitItemFn, errors: &mut Errors) -> Option<Self> {
        let signature = &item.sig;
        cfg::refuse(&item.attrs, "a method", errors);
        let (options, attributes) = Options::split(&item.attrs, &PLACE, errors);
        let given_name = options.text("name", "fetch", errors);
        let wire_name =
            name::given_or_own(given_name, &signature.ident, name::Kind::Method, errors);
        let timeout = options
            .text("timeout", "300ms", errors)
            .and_then(|text| errors.take(duration::parse(text)));
        let attempts = Attempts::parse(&options, timeout, errors);
        let encoding = options
            .text("encoding", "map", errors)
            .and_then(|text| errors.take(Encoding::parse(text)));
        refuse_taken_name(&signature.ident, errors);
        signature::check(signature, errors);
        let arguments = Argument::parse_all(signature, errors);
        let returns = Returns::parse(signature, errors);
        if let Some(body) = &item.default {
            errors.at(
                body,
                "a method of a service has no body here, as the client has to send every call: \
                 move it to the implementation",
            );
        }
        Some(Self {
            attributes,
            ident: signature.ident.clone(),
            wire_name,
            docs: docs::text(&item.attrs),
            arguments,
            returns: returns?,
            attempts,
            timeout,
            encoding,
        })
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
