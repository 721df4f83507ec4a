//! The schema: what a service tells about itself at run time.

use std::time::Duration;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::type_name;
use crate::model::{Argument, Attempts, Encoding, Hedge, Method, Service};

/// The statics `__DOGE_METHODS` and `__DOGE_SCHEMA`.
pub(super) fn define(service: &Service) -> TokenStream {
    let Service {
        facade,
        wire_name,
        version,
        docs,
        ..
    } = service;
    let count = Literal::usize_unsuffixed(service.methods.len());
    let methods = service
        .methods
        .iter()
        .enumerate()
        .map(|(index, method)| method_schema(service, index, method));
    quote! {
        static __DOGE_METHODS: [#facade::__private::MethodSchema; #count] = [#(#methods),*];
        static __DOGE_SCHEMA: #facade::__private::ServiceSchema =
            #facade::__private::ServiceSchema::new(#wire_name, #version, #docs, &__DOGE_METHODS);
    }
}

fn method_schema(service: &Service, index: usize, method: &Method) -> TokenStream {
    let Service {
        facade,
        wire_name: service_name,
        ..
    } = service;
    let Method {
        wire_name,
        docs,
        returns,
        ..
    } = method;
    let index = Literal::usize_unsuffixed(index);
    let docs = (!docs.is_empty()).then(|| quote!(.with_docs(#docs)));
    let arguments = method
        .arguments
        .iter()
        .map(|argument| argument_schema(service, argument));
    let (value, error) = (type_name::of(&returns.value), type_name::of(&returns.error));
    let attempts = attempts(service, &method.attempts);
    let timeout = method.timeout.map(|timeout| {
        let timeout = duration(timeout);
        quote!(.with_timeout(#timeout))
    });
    let arrays = (method.encoding == Some(Encoding::Array)).then(|| {
        let arguments = method.arguments.iter().map(|argument| &argument.ty);
        let types = arguments.chain([&returns.value, &returns.error]);
        quote!(.with_arrays(&[#(#facade::__private::explore::<#types>),*]))
    });
    quote! {
        #facade::__private::MethodSchema::new(#service_name, #wire_name, #index)
            #docs
            .with_arguments(const { &[#(#arguments),*] })
            .with_returns(#value, #error)
            #attempts
            #timeout
            #arrays
    }
}

fn attempts(service: &Service, attempts: &Attempts) -> TokenStream {
    let facade = &service.facade;
    let idempotent = attempts.idempotent.then(|| quote!(.with_idempotent()));
    let retries = attempts
        .retries
        .map(|retries| quote!(.with_retries(#retries)));
    let hedge = attempts.hedge.map(|hedge| {
        let hedge = match hedge {
            Hedge::After(delay) => {
                let delay = duration(delay);
                quote!(After(#delay))
            }
            Hedge::Percentile(percentile) => quote!(Percentile(#percentile)),
        };
        quote!(.with_hedge(#facade::__private::HedgeDelay::#hedge))
    });
    quote!(#idempotent #retries #hedge)
}

fn duration(duration: Duration) -> TokenStream {
    let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanoseconds))
}

fn argument_schema(service: &Service, argument: &Argument) -> TokenStream {
    let facade = &service.facade;
    let (name, ty) = (argument.name(), type_name::of(&argument.ty));
    let default = argument.default.is_some().then(|| quote!(.with_default()));
    quote!(#facade::__private::ArgumentSchema::new(#name, #ty) #default)
}
