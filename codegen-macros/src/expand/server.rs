//! The server: requests, by calls to an implementation.

use proc_macro2::TokenStream;
use quote::quote;

use super::dispatch;
use crate::model::Service;

/// The type.
pub(super) fn define(service: &Service) -> TokenStream {
    let Service {
        visibility,
        ident,
        wire_name,
        version,
        ..
    } = service;
    let server = service.server();
    let summary =
        format!("Serves an implementation of [`{ident}`] as `{wire_name}`, version {version}.");
    quote! {
        #[doc = #summary]
        #[doc = ""]
        #[doc = "A tower `Service` from request to response. Cheap to clone: clones share the implementation."]
        #[allow(dead_code)] // A program may need the client only.
        #visibility struct #server<T> {
            service: ::std::sync::Arc<T>,
        }
    }
}

/// What it has itself, and the traits that make it a server.
pub(super) fn implement(service: &Service) -> TokenStream {
    let itself = implement_itself(service);
    let serve = dispatch::implement(service);
    let tower = implement_tower(service);
    quote!(#itself #serve #tower)
}

fn implement_itself(service: &Service) -> TokenStream {
    let Service {
        visibility, ident, ..
    } = service;
    let server = service.server();
    let name = server.to_string();
    quote! {
        #[automatically_derived]
        #[allow(dead_code)] // A program may need one way to make a server only.
        impl<T: #ident> #server<T> {
            /// A server of this implementation.
            #[must_use]
            #visibility fn new(service: T) -> Self {
                Self::from_arc(::std::sync::Arc::new(service))
            }

            /// A server of an implementation that others hold too.
            #[must_use]
            #visibility fn from_arc(service: ::std::sync::Arc<T>) -> Self {
                Self { service }
            }
        }

        #[automatically_derived]
        impl<T> ::core::clone::Clone for #server<T> {
            fn clone(&self) -> Self {
                Self { service: ::core::clone::Clone::clone(&self.service) }
            }
        }

        #[automatically_derived]
        impl<T> ::core::fmt::Debug for #server<T> {
            fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                formatter.debug_struct(#name).finish_non_exhaustive()
            }
        }
    }
}

fn implement_tower(service: &Service) -> TokenStream {
    let Service { facade, ident, .. } = service;
    let server = service.server();
    quote! {
        #[automatically_derived]
        impl<__DogeService: #ident> #facade::__private::tower::Service<#facade::__private::Request>
            for #server<__DogeService>
        {
            type Response = #facade::__private::Response;
            type Error = #facade::__private::Status;
            type Future = #facade::__private::BoxFuture<
                'static,
                ::core::result::Result<#facade::__private::Response, #facade::__private::Status>,
            >;

            fn poll_ready(
                &mut self,
                _: &mut ::core::task::Context<'_>,
            ) -> ::core::task::Poll<::core::result::Result<(), #facade::__private::Status>> {
                ::core::task::Poll::Ready(::core::result::Result::Ok(()))
            }

            fn call(&mut self, request: #facade::__private::Request) -> Self::Future {
                ::std::boxed::Box::pin(#facade::__private::handle(::core::clone::Clone::clone(self), request))
            }
        }
    }
}
