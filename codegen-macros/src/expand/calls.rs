//! From a method of the trait to a call of wherever the service is.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::Token;

use super::{checks, contract};
use crate::model::{Method, Service};

/// The trait for the client.
pub(super) fn implement(service: &Service) -> TokenStream {
    let ident = &service.ident;
    let client = service.client();
    let methods = service
        .methods
        .iter()
        .enumerate()
        .map(|(index, method)| call(index, method));
    quote! {
        #[automatically_derived]
        impl #ident for #client {
            #(#methods)*
        }
    }
}

fn call(index: usize, method: &Method) -> TokenStream {
    let Method {
        ident,
        arguments,
        returns,
        ..
    } = method;
    let result = &returns.result;
    let (value, error) = (&returns.value, &returns.error);
    let parameters = contract::parameters(method);
    let index = Literal::usize_unsuffixed(index);
    let checks = checks::of(method);
    let schema = quote!(&__DOGE_METHODS[#index]);
    let body = if arguments.is_empty() {
        quote!(&[(); 0])
    } else {
        let arguments = arguments.iter().map(|argument| &argument.ident);
        quote!(&(#(&#arguments,)*))
    };
    // What the compiler says about the call, it says once, where the method is. Made of spans of the user's, this is
    // not hygienic, hence the name of the local. The arguments are encoded before the `await`, so that what is
    // borrowed from them does not cross it.
    let here = ident.span();
    let receiver = Token![self](here);
    let call = quote_spanned! {here=>
        let __doge_call = #receiver.client.call::<_, #value, #error>(#schema, #body);
        __doge_call.await
    };
    quote! {
        async fn #ident(&#receiver #(, #parameters)*) -> #result {
            #checks
            #call
        }
    }
}
