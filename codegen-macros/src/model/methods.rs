//! The methods of a service.

use std::collections::HashMap;

use proc_macro2::Ident;
use syn::{ItemTrait, TraitItem};

use super::Method;
use crate::errors::Errors;

/// Reads the items of a trait, which are all methods when it is fit to be a service.
pub(super) fn parse(item: &ItemTrait, errors: &mut Errors) -> Vec<Method> {
    let mut methods = Vec::new();
    for item in &item.items {
        match item {
            TraitItem::Fn(method) => methods.extend(Method::parse(method, errors)),
            TraitItem::Type(ty) => {
                let message = "a service has no associated types, as the other side has to know the types: \
                               name them in the methods";
                errors.at(ty, message);
            }
            TraitItem::Const(constant) => {
                let message = "a service has no constants, as the other side cannot see them: \
                               make it a method, or move it out of the trait";
                errors.at(constant, message);
            }
            other => errors.at(other, "a service has only methods: write them out here"),
        }
    }
    refuse_duplicates(&methods, errors);
    methods
}

fn refuse_duplicates(methods: &[Method], errors: &mut Errors) {
    let mut first: HashMap<&str, &Ident> = HashMap::new();
    for method in methods {
        let name = method.wire_name.as_str();
        match first.get(name) {
            None => {
                first.insert(name, &method.ident);
            }
            Some(&other) if *other == method.ident => {
                errors.at(
                    &method.ident,
                    format!("there is a method `{other}` already: give one of them another name"),
                );
            }
            Some(other) => errors.at(
                &method.ident,
                format!(
                    "the method `{other}` has the wire name `{name}` already: \
                     give one of them another with `#[rpc(name = \"..\")]`"
                ),
            ),
        }
    }
}
