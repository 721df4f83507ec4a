//! What a method returns.

use syn::{GenericArgument, PathArguments, ReturnType, Signature, Type};

use super::owned;
use crate::errors::Errors;

/// `Result<T, E>`, as written and taken apart.
pub(crate) struct Returns {
    /// The whole of it.
    pub(crate) result: Type,
    /// `T`.
    pub(crate) value: Type,
    /// `E`.
    pub(crate) error: Type,
}

impl Returns {
    pub(super) fn parse(signature: &Signature, errors: &mut Errors) -> Option<Self> {
        let ReturnType::Type(_, result) = &signature.output else {
            let message = "a call can fail, so a method returns a `Result`: \
                           write `-> Result<(), E>` when there is nothing to say on success";
            errors.at(&signature.ident, message);
            return None;
        };
        if signature.asyncness.is_none() && matches!(**result, Type::ImplTrait(_)) {
            // `fn get(&self) -> impl Future<..>` has one fault, which is told where `async` is missing.
            return None;
        }
        let Some((value, error)) = take_apart(result) else {
            let message = "a method returns `Result<T, E>` with both types written out, \
                           as a call can fail and the caller has to know how";
            errors.at(result, message);
            return None;
        };
        owned::check(&value, errors);
        owned::check(&error, errors);
        Some(Self {
            result: (**result).clone(),
            value,
            error,
        })
    }
}

fn take_apart(ty: &Type) -> Option<(Type, Type)> {
    let path = match ty {
        Type::Path(path) => &path.path,
        Type::Paren(inner) => return take_apart(&inner.elem),
        Type::Group(inner) => return take_apart(&inner.elem),
        _ => return None,
    };
    let last = path.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let mut types = arguments.args.iter();
    match (types.next(), types.next(), types.next()) {
        (Some(GenericArgument::Type(value)), Some(GenericArgument::Type(error)), None) => {
            Some((value.clone(), error.clone()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn parts(ty: &str) -> Option<[String; 2]> {
        let (value, error) = take_apart(&syn::parse_str(ty).unwrap())?;
        Some([value, error].map(|part| part.to_token_stream().to_string()))
    }

    #[test]
    fn both_types_are_found() {
        for ty in [
            "Result<u8, Error>",
            "std::result::Result<u8, Error>",
            "(Result<u8, Error>)",
        ] {
            assert_eq!(
                parts(ty),
                Some(["u8".to_owned(), "Error".to_owned()]),
                "{ty}"
            );
        }
    }

    #[test]
    fn anything_else_has_none() {
        for ty in [
            "u8",
            "Result",
            "io::Result<u8>",
            "Result<'a, u8>",
            "Option<u8>",
            "(Result<u8, E>, u8)",
        ] {
            assert_eq!(parts(ty), None, "{ty}");
        }
    }
}
