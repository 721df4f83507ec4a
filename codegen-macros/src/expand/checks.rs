//! Assertions that a type can travel, at the spot where the trait names it.
//!
//! They stand in each body that uses the type, before the use and with the same span: the compiler reports an unmet
//! bound once per body and spot, and the same text once per crate, so that one unfit type is one error.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::{Method, Service};

/// What the assertions call.
pub(super) fn define(service: &Service) -> TokenStream {
    if service.methods.is_empty() {
        return TokenStream::new();
    }
    let facade = &service.facade;
    quote! {
        const fn __doge_wire<T: #facade::__private::Wire>() {}
        const fn __doge_error<E: #facade::__private::ServiceError>() {}
    }
}

/// The assertions for everything that a method sends or receives.
pub(super) fn of(method: &Method) -> TokenStream {
    let values = method
        .arguments
        .iter()
        .map(|argument| &argument.ty)
        .chain([&method.returns.value]);
    let error = &method.returns.error;
    quote! {
        #(__doge_wire::<#values>();)*
        __doge_error::<#error>();
    }
}
