//! Types that can leave the process: they own what they hold, and say what it is.

use syn::{Expr, Lifetime, Path, Type, TypeBareFn, TypeImplTrait, TypeReference, visit::Visit};

use crate::errors::Errors;

/// Reports whatever in this type keeps it from travelling and can be seen from its spelling.
pub(super) fn check(ty: &Type, errors: &mut Errors) {
    Spelling { errors }.visit_type(ty);
}

struct Spelling<'e> {
    errors: &'e mut Errors,
}

impl Visit<'_> for Spelling<'_> {
    fn visit_type_reference(&mut self, reference: &TypeReference) {
        let mend = match &*reference.elem {
            Type::Path(path) if path.path.is_ident("str") => "write `String`",
            Type::Slice(_) => "write a `Vec`",
            Type::TraitObject(_) => "write a type of its own",
            _ => "write the type without the `&`",
        };
        self.errors.at(
            reference,
            format!("a reference cannot travel to another process: {mend}"),
        );
    }

    fn visit_type_impl_trait(&mut self, opaque: &TypeImplTrait) {
        self.errors.at(
            opaque,
            "`impl Trait` cannot travel, as the other side has to know the type: name one",
        );
    }

    fn visit_lifetime(&mut self, lifetime: &Lifetime) {
        if lifetime.ident == "_" {
            let message = "a borrowed value cannot travel to another process: write a type that owns its data";
            self.errors.at(lifetime, message);
        }
    }

    fn visit_path(&mut self, path: &Path) {
        match path.segments.first() {
            Some(first) if first.ident == "Self" => {
                self.errors.at(
                    path,
                    "`Self` is another type on each side: name the type that travels",
                );
            }
            _ => syn::visit::visit_path(self, path),
        }
    }

    /// Function pointers do not travel anyway, and take references rightly.
    fn visit_type_bare_fn(&mut self, _: &TypeBareFn) {}

    /// The length of an array may be any expression.
    fn visit_expr(&mut self, _: &Expr) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(ty: &str) -> Option<String> {
        let mut errors = Errors::default();
        check(&syn::parse_str(ty).unwrap(), &mut errors);
        errors.into_error().map(|error| error.to_string())
    }

    #[test]
    fn owned_types_pass() {
        for ty in [
            "u8",
            "Vec<Option<(String, [u8; 4])>>",
            "Cow<'static, str>",
            "[u8; SIZE & 7]",
            "<A as B>::C",
        ] {
            assert_eq!(fault(ty), None, "{ty}");
        }
    }

    #[test]
    fn the_mend_fits_the_reference() {
        let mends = [
            ("&str", "`String`"),
            ("Option<&'static str>", "`String`"),
            ("&[u8]", "a `Vec`"),
            ("&mut Employee", "without the `&`"),
            ("&dyn Display", "a type of its own"),
        ];
        for (ty, mend) in mends {
            assert!(fault(ty).unwrap().contains(mend), "{ty}");
        }
    }

    #[test]
    fn what_hides_its_type_is_refused() {
        for ty in [
            "impl Display",
            "Vec<impl Display>",
            "Cow<'_, str>",
            "Self",
            "Vec<Self::Id>",
        ] {
            assert!(fault(ty).is_some(), "{ty}");
        }
    }
}
