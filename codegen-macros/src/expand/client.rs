//! The client.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::Service;

/// The type.
pub(super) fn define(service: &Service) -> TokenStream {
    let Service {
        facade,
        visibility,
        ident,
        wire_name,
        version,
        ..
    } = service;
    let client = service.client();
    let summary = format!(
        "Client of [`{ident}`]: implements it by calling `{wire_name}`, version {version}."
    );
    let (connect, connect_via, local, with) = (
        link("connect"),
        link("connect_via"),
        link("local"),
        link("with"),
    );
    let how = format!(
        "Made by {connect}, {connect_via} or {local}. Cheap to clone: clones share their connections. \
         {with} sets options for the calls made through what it returns."
    );
    quote! {
        #[doc = #summary]
        #[doc = ""]
        #[doc = #how]
        #[derive(::core::clone::Clone, ::core::fmt::Debug)]
        #[allow(dead_code)] // A program may need the server only.
        #visibility struct #client {
            client: #facade::__private::Client,
        }
    }
}

/// What it has itself.
pub(super) fn implement(service: &Service) -> TokenStream {
    let Service {
        facade,
        visibility,
        ident,
        ..
    } = service;
    let (client, server) = (service.client(), service.server());
    quote! {
        #[automatically_derived]
        #[allow(dead_code)] // A program may need one way to make a client only.
        impl #client {
            /// A client of the service at this address: `tcp://host:port`, `unix:///path`.
            ///
            /// Returns at once: the connection is made with the first call, and again whenever it is lost.
            ///
            /// # Errors
            ///
            /// When a text is no address.
            #visibility fn connect(
                address: impl #facade::__private::IntoAddress,
            ) -> ::core::result::Result<Self, #facade::__private::AddressError> {
                ::core::result::Result::map(#facade::__private::Client::connect(address), Self::new)
            }

            /// A client of whatever instances of the service this registry has, now and from now on.
            ///
            /// Cancel safe: a future that is dropped leaves nothing behind.
            ///
            /// # Errors
            ///
            /// When the registry cannot be asked.
            #visibility async fn connect_via(
                registry: &::std::sync::Arc<dyn #facade::__private::Registry>,
            ) -> ::core::result::Result<Self, #facade::__private::ClusterError> {
                let client = #facade::__private::Client::follow(registry, &__DOGE_SCHEMA).await;
                ::core::result::Result::map(client, Self::new)
            }

            /// A cluster of instances of the service, to be told how to call them; `new` makes a client of it.
            #visibility fn cluster() -> #facade::__private::ClusterBuilder {
                #facade::__private::Cluster::of(&__DOGE_SCHEMA)
            }

            /// A client that calls through this channel, cluster or server.
            #[must_use]
            #visibility fn new(client: impl ::core::convert::Into<#facade::__private::Client>) -> Self {
                Self { client: ::core::convert::Into::into(client) }
            }

            /// A client of an implementation in this process: calls are encoded as if they travelled, but do not.
            #[must_use]
            #visibility fn local<__DogeService: #ident>(service: __DogeService) -> Self {
                Self { client: #facade::__private::Client::local(#server::new(service)) }
            }

            /// The same client, with these options for its calls.
            #[must_use]
            #visibility fn with(&self, options: #facade::__private::CallOptions) -> Self {
                Self { client: #facade::__private::Client::with(&self.client, options) }
            }

            /// What the service looks like: its names, methods, arguments and docs.
            #[must_use]
            #visibility fn schema() -> &'static #facade::__private::ServiceSchema {
                &__DOGE_SCHEMA
            }
        }
    }
}

fn link(method: &str) -> String {
    format!("[`{method}`](Self::{method})")
}
