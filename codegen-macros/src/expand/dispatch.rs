//! From a request to the method that it calls, and back to a response.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::checks;
use crate::model::{Argument, DefaultValue, Method, Service};

/// `Serve` for the server.
pub(super) fn implement(service: &Service) -> TokenStream {
    let Service { facade, ident, .. } = service;
    let server = service.server();
    let answer = answer(service);
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        #[allow(deprecated)] // What the trait deprecates is for its callers to leave, and served until then.
        impl<__DogeService: #ident> #facade::__private::Serve for #server<__DogeService> {
            fn schema(&self) -> &'static #facade::__private::ServiceSchema {
                &__DOGE_SCHEMA
            }

            fn serve(
                &self,
                request: #facade::__private::Request,
            ) -> impl ::core::future::Future<
                Output = ::core::result::Result<#facade::__private::Response, #facade::__private::Status>,
            > + ::core::marker::Send + 'static {
                #answer
            }
        }
    }
}

fn answer(service: &Service) -> TokenStream {
    let facade = &service.facade;
    let unknown = quote_spanned! {Span::mixed_site()=>
        ::core::result::Result::Err(#facade::__private::unknown_method(&__DOGE_SCHEMA, request.route()))
    };
    if service.methods.is_empty() {
        return quote_spanned!(Span::mixed_site()=> ::core::future::ready(#unknown));
    }
    let arms = service
        .methods
        .iter()
        .enumerate()
        .map(|(index, method)| arm(service, index, method));
    quote_spanned! {Span::mixed_site()=>
        let service = ::core::clone::Clone::clone(&self.service);
        async move {
            match __DOGE_SCHEMA.index_of(request.route()) {
                #(#arms)*
                _ => #unknown,
            }
        }
    }
}

fn arm(service: &Service, index: usize, method: &Method) -> TokenStream {
    let Service { facade, ident, .. } = service;
    let Method {
        ident: name,
        returns,
        ..
    } = method;
    let (value, error) = (&returns.value, &returns.error);
    let index = Literal::usize_unsuffixed(index);
    let checks = checks::of(method);
    let (taken, given) = arguments(method);
    quote_spanned! {Span::mixed_site()=>
        ::core::option::Option::Some(#index) => {
            #checks
            #taken
            let as_text = request.wants_errors_as_text();
            ::core::mem::drop(request);
            let result = <__DogeService as #ident>::#name(&service #(, #given)*).await;
            let text = match &result {
                ::core::result::Result::Err(error) if as_text => {
                    // One of the two applies, as the type of the error has it.
                    #[allow(unused_imports)]
                    use #facade::__private::{ByDisplay as _, WithoutDisplay as _};
                    (&#facade::__private::Described(error)).text()
                }
                _ => ::core::option::Option::None,
            };
            #facade::__private::Response::encode_with_text::<#value, #error>(
                &__DOGE_METHODS[#index],
                result,
                text,
            )
        }
    }
}

/// How the arguments are taken out of the request, and how they are then given to the implementation.
fn arguments(method: &Method) -> (TokenStream, Vec<TokenStream>) {
    if method.arguments.is_empty() {
        // Still refused when they are no arguments at all.
        return (
            quote_spanned!(Span::mixed_site()=> let _ = request.arguments()?;),
            Vec::new(),
        );
    }
    let taken = method.arguments.iter().map(take);
    let given = (0..method.arguments.len()).map(|index| {
        let index = Literal::usize_unsuffixed(index);
        quote_spanned!(Span::mixed_site()=> arguments.#index)
    });
    let taken = quote_spanned! {Span::mixed_site()=>
        let arguments = {
            let mut arguments = request.arguments()?;
            (#(#taken,)*)
        };
    };
    (taken, given.collect())
}

fn take(argument: &Argument) -> TokenStream {
    let (name, ty) = (argument.name(), &argument.ty);
    let default = match &argument.default {
        None => return quote_spanned!(Span::mixed_site()=> arguments.take::<#ty>(#name)?),
        Some(DefaultValue::OfType) => quote!(|| <#ty as ::core::default::Default>::default()),
        Some(DefaultValue::Function(path)) => quote!(#path),
    };
    quote_spanned!(Span::mixed_site()=> arguments.take_or_else::<#ty>(#name, #default)?)
}
