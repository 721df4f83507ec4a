//! Conditional compilation, which has no place inside a service.

use syn::Attribute;

use crate::errors::Errors;

/// Reports `#[cfg]` and `#[cfg_attr]`; `what` is the word for what they stand on.
///
/// Both ends have to see the same trait, whatever features they are built with.
pub(super) fn refuse(attributes: &[Attribute], what: &str, errors: &mut Errors) {
    for attribute in attributes {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            let message = format!(
                "{what} cannot depend on the build, as both ends have to agree on it: put the `cfg` on the trait"
            );
            errors.at(attribute, message);
        }
    }
}
