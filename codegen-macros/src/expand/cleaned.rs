//! A trait with errors, without those that would be errors of Rust too.

use std::collections::HashSet;

use quote::format_ident;
use syn::{Attribute, FnArg, ItemTrait, Pat, TraitItem, TraitItemFn, parse_quote};

use crate::options;

/// Without what only `#[service]` understands, and what no trait can have.
pub(super) fn cleaned(item: &ItemTrait) -> ItemTrait {
    let mut item = item.clone();
    let mut names = HashSet::new();
    item.attrs.retain(|attribute| !options::is_rpc(attribute));
    item.items.retain(|item| match item {
        TraitItem::Fn(method) => names.insert(method.sig.ident.clone()),
        TraitItem::Type(_) | TraitItem::Const(_) => true,
        _ => false,
    });
    for item in &mut item.items {
        if let TraitItem::Fn(method) = item {
            clean(method);
        }
    }
    item
}

fn clean(method: &mut TraitItemFn) {
    method
        .attrs
        .retain(|attribute| !options::is_rpc(attribute) && !attribute.path().is_ident("cfg_attr"));
    for (index, argument) in method.sig.inputs.iter_mut().enumerate() {
        if let FnArg::Typed(argument) = argument {
            argument.attrs.retain(is_cfg);
            if !is_plain(&argument.pat) {
                let name = format_ident!("argument{index}");
                *argument.pat = parse_quote!(#name);
            }
        }
    }
}

fn is_plain(pattern: &Pat) -> bool {
    match pattern {
        Pat::Ident(name) => {
            name.by_ref.is_none() && name.mutability.is_none() && name.subpat.is_none()
        }
        _ => false,
    }
}

/// Whether this is `#[cfg(..)]`, which what others write for the trait has too.
pub(super) fn is_cfg(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
}
