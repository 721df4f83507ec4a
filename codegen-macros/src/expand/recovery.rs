//! What a trait with errors expands to: as much of it as others can be compiled against, so that its errors are the
//! only ones. Nothing of this is ever run.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    ItemTrait, ReturnType, Signature, TraitItem, TraitItemFn, Type, TypeImplTrait, parse_quote,
    visit::Visit,
};

use super::{
    cleaned::{cleaned, is_cfg},
    client, contract, schema, server,
};
use crate::model::Service;

/// Expands a trait that is not fit to be a service.
pub(super) fn expand(mut service: Service, item: &ItemTrait) -> TokenStream {
    service.methods.clear();
    let item = cleaned(item);
    let contract = define(&item);
    let client = client::define(&service);
    let server = server::define(&service);
    let implementations = implementations(&service, &item);
    quote! {
        #contract
        #client
        #server
        #implementations
    }
}

fn define(item: &ItemTrait) -> TokenStream {
    let mut item = item.clone();
    item.supertraits.extend::<[syn::TypeParamBound; 3]>([
        parse_quote!(::core::marker::Send),
        parse_quote!(::core::marker::Sync),
        parse_quote!('static),
    ]);
    for item in &mut item.items {
        if let TraitItem::Fn(method) = item {
            method.default = method
                .default
                .is_some()
                .then(|| parse_quote!({ ::core::unreachable!() }));
            if method.sig.asyncness.take().is_some() {
                desugar(method);
            }
        }
    }
    quote!(#item)
}

fn desugar(method: &mut TraitItemFn) {
    let output = output(&method.sig);
    method.sig.output =
        parse_quote!(-> impl ::core::future::Future<Output = #output> + ::core::marker::Send);
    if method.default.is_some() {
        method.default = Some(parse_quote!({ async { ::core::unreachable!() } }));
    }
}

fn output(signature: &Signature) -> Type {
    match &signature.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    }
}

fn implementations(service: &Service, item: &ItemTrait) -> TokenStream {
    let ItemTrait {
        ident,
        unsafety,
        generics,
        items,
        ..
    } = item;
    if !generics.params.is_empty() || generics.where_clause.is_some() || item.auto_token.is_some() {
        return TokenStream::new();
    }
    let schema = schema::define(service);
    let client_itself = client::implement(service);
    let server_itself = server::implement(service);
    let methods: Option<Vec<_>> = items.iter().map(implementation).collect();
    let contract = methods.map(|methods| {
        let client = service.client();
        let bounds = contract::supertraits_of_self(&item.supertraits);
        quote! {
            #unsafety impl #ident for #client {
                #(#methods)*
            }
            #unsafety impl<__DogeService: #ident> #ident for ::std::sync::Arc<__DogeService> #bounds {
                #(#methods)*
            }
        }
    });
    quote! {
        const _: () = {
            #schema
            #client_itself
            #server_itself
            #contract
        };
    }
}

/// A method with a body that never ends well; none where nothing can be written without knowing types.
fn implementation(item: &TraitItem) -> Option<TokenStream> {
    let TraitItem::Fn(method) = item else {
        return None;
    };
    let signature = &method.sig;
    let cfgs = method.attrs.iter().filter(|attribute| is_cfg(attribute));
    let body = match output(signature) {
        Type::ImplTrait(_) if signature.asyncness.is_none() => {
            quote!(async { ::core::unreachable!() })
        }
        output if has_impl_trait(&output) => return None,
        _ => quote!(::core::unreachable!()),
    };
    Some(quote!(#(#cfgs)* #[allow(unused_variables)] #signature { #body }))
}

fn has_impl_trait(ty: &Type) -> bool {
    struct Found(bool);

    impl Visit<'_> for Found {
        fn visit_type_impl_trait(&mut self, _: &TypeImplTrait) {
            self.0 = true;
        }
    }

    let mut found = Found(false);
    found.visit_type(ty);
    found.0
}
