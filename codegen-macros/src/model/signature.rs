//! What a method is besides its name, its arguments and its result.

use syn::{Receiver, Signature};

use crate::errors::Errors;

/// Reports whatever is there and may not be, or is not there and has to be.
pub(super) fn check(signature: &Signature, errors: &mut Errors) {
    refuse_modifiers(signature, errors);
    refuse_generics(signature, errors);
    check_receiver(signature, errors);
}

fn refuse_modifiers(signature: &Signature, errors: &mut Errors) {
    if signature.asyncness.is_none() {
        errors.at(
            signature.fn_token,
            "a method of a service waits for its answer: write `async fn`",
        );
    }
    if let Some(constness) = &signature.constness {
        errors.at(
            constness,
            "a method of a service cannot be `const`: leave it out",
        );
    }
    if let Some(unsafety) = &signature.unsafety {
        errors.at(
            unsafety,
            "a method of a service cannot be `unsafe`, as no caller elsewhere can keep its terms: \
             leave it out",
        );
    }
    if let Some(abi) = &signature.abi {
        errors.at(
            abi,
            "a method of a service has no ABI of its own: leave it out",
        );
    }
}

fn refuse_generics(signature: &Signature, errors: &mut Errors) {
    if !signature.generics.params.is_empty() {
        let message = "a method of a service cannot be generic, as the other side has to know the types: name them";
        errors.at(&signature.generics, message);
    }
    if let Some(bounds) = &signature.generics.where_clause {
        errors.at(
            bounds,
            "a method of a service has no bounds: leave the `where` out",
        );
    }
}

fn check_receiver(signature: &Signature, errors: &mut Errors) {
    const MEND: &str = "one instance serves many calls at once, so a method takes `&self`";
    match signature.receiver() {
        None => errors.at(
            &signature.ident,
            format!("{MEND}: add it before the arguments"),
        ),
        Some(receiver) if !is_shared(receiver) => {
            errors.at(
                receiver,
                format!("{MEND}: keep what changes behind a lock or an atomic"),
            );
        }
        Some(_) => {}
    }
}

fn is_shared(receiver: &Receiver) -> bool {
    let plain = receiver.colon_token.is_none() && receiver.mutability.is_none();
    plain && matches!(&receiver.reference, Some((_, None)))
}
