//! The trait itself.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::model::{Argument, Method, Service, Supertraits};

/// The trait, with the bounds that let any implementation be served.
pub(super) fn define(service: &Service) -> TokenStream {
    let Service {
        attributes,
        visibility,
        ident,
        ..
    } = service;
    let supertraits = service.supertraits.iter();
    let methods = service.methods.iter().map(|method| {
        let attributes = &method.attributes;
        // Lints about the trait point at what the user wrote.
        let here = method.ident.span();
        let signature = future(method, here);
        quote_spanned!(here=> #(#attributes)* #signature;)
    });
    let bounds = quote!(#(#supertraits +)* ::core::marker::Send + ::core::marker::Sync + 'static);
    quote_spanned! {ident.span()=>
        #(#attributes)*
        #visibility trait #ident: #bounds {
            #(#methods)*
        }
    }
}

/// The trait for an `Arc` of an implementation, so that a shared one can be used and served like its own.
pub(super) fn implement_for_arc(service: &Service) -> TokenStream {
    let ident = &service.ident;
    let bounds = supertraits_of_self(&service.supertraits);
    let methods = service.methods.iter().map(|method| {
        let name = &method.ident;
        let arguments = method.arguments.iter().map(|argument| &argument.ident);
        let signature = future(method, Span::mixed_site());
        quote_spanned! {Span::mixed_site()=>
            #signature {
                <__DogeService as #ident>::#name(&**self #(, #arguments)*)
            }
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(deprecated)] // What the trait deprecates is for its callers to leave, and forwarded until then.
        impl<__DogeService: #ident> #ident for ::std::sync::Arc<__DogeService> #bounds {
            #(#methods)*
        }
    }
}

/// What the trait's own supertraits ask of an `Arc`, where there are any.
pub(super) fn supertraits_of_self(supertraits: &Supertraits) -> Option<TokenStream> {
    (!supertraits.is_empty()).then(|| quote!(where Self: #supertraits))
}

fn future(method: &Method, span: Span) -> TokenStream {
    let Method { ident, returns, .. } = method;
    let result = &returns.result;
    let arguments = parameters(method);
    quote_spanned! {span=>
        fn #ident(&self #(, #arguments)*) -> impl ::core::future::Future<Output = #result> + ::core::marker::Send
    }
}

/// The arguments as parameters.
pub(super) fn parameters(method: &Method) -> impl Iterator<Item = TokenStream> {
    method.arguments.iter().map(|argument| {
        let Argument {
            attributes,
            ident,
            ty,
            ..
        } = argument;
        quote!(#(#attributes)* #ident: #ty)
    })
}
