//! An argument of a method.

use syn::{Attribute, ExprPath, FnArg, Ident, Meta, Pat, PatType, Signature, Type, ext::IdentExt};

use super::{cfg, owned};
use crate::{
    errors::Errors,
    options::{Options, Place},
};

const PLACE: Place = Place {
    attribute: "`#[rpc(..)]` of an argument",
    options: &["default"],
};

/// As many as serde writes as one tuple.
const MOST_ARGUMENTS: usize = 16;

/// An argument: a name and a type that can travel.
pub(crate) struct Argument {
    /// Attributes other than `#[rpc(..)]`.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// What it is for a caller that does not send it.
    pub(crate) default: Option<DefaultValue>,
}

/// Where the default of an argument comes from.
pub(crate) enum DefaultValue {
    /// `Default::default()`.
    OfType,
    /// This function.
    Function(ExprPath),
}

impl Argument {
    /// The arguments of a method.
    pub(super) fn parse_all(signature: &Signature, errors: &mut Errors) -> Vec<Self> {
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
            .filter_map(|argument| Self::parse(argument, errors))
            .collect();
        check_defaults(&arguments, errors);
        arguments
    }

    /// Its name in the schema.
    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }

    fn parse(argument: &PatType, errors: &mut Errors) -> Option<Self> {
        cfg::refuse(&argument.attrs, "an argument", errors);
        let (options, attributes) = Options::split(&argument.attrs, &PLACE, errors);
        let default = default(&options, errors);
        owned::check(&argument.ty, errors);
        let ident = errors.take(name(&argument.pat))?;
        Some(Self {
            attributes,
            ident,
            ty: (*argument.ty).clone(),
            default,
        })
    }
}

fn typed(argument: &FnArg) -> Option<&PatType> {
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

fn default(options: &Options, errors: &mut Errors) -> Option<DefaultValue> {
    if let Meta::Path(_) = options.get("default")? {
        return Some(DefaultValue::OfType);
    }
    let path = options.text("default", "path::to::function", errors)?;
    let parsed = path.parse().map_err(|_| {
        let message = format!(
            "`{}` is not the path of a function: write `default = \"path::to::function\"`",
            path.value()
        );
        syn::Error::new_spanned(path, message)
    });
    errors.take(parsed).map(DefaultValue::Function)
}

fn name(pattern: &Pat) -> syn::Result<Ident> {
    let mend = match pattern {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => {
            if name.mutability.is_none() {
                return Ok(name.ident.clone());
            }
            "leave the `mut` to the implementation"
        }
        Pat::Wild(_) => "give it one, which the schema and errors call it by",
        _ => "give it one, and take it apart in the implementation",
    };
    Err(syn::Error::new_spanned(
        pattern,
        format!("an argument has a plain name: {mend}"),
    ))
}
