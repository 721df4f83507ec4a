//! From the model to code.
//!
//! Names of our own that the user's types and paths could meet start with `__doge`; locals are hygienic. Whatever
//! needs no name of its own goes into a `const _`, so that services do not meet each other, wherever they stand.

mod calls;
mod checks;
mod cleaned;
mod client;
mod contract;
mod dispatch;
mod recovery;
mod schema;
mod server;
mod type_name;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::{Item, ItemTrait};

use crate::{errors::Errors, model::Service};

/// Expands `#[service(options)] item`.
pub(crate) fn service(options: TokenStream, item: TokenStream) -> TokenStream {
    match syn::parse2(item.clone()) {
        Ok(Item::Trait(item)) => of_trait(options, &item),
        Ok(Item::Impl(_)) => misplaced(
            "`#[service]` goes on the trait, not on its implementations: move it there, and leave the `impl` plain",
            &item,
        ),
        Err(error) if has_trait(&item) => beside(&error, &item),
        Ok(_) | Err(_) => misplaced(
            "`#[service]` goes on a trait: what the service can do, as `async fn` methods",
            &item,
        ),
    }
}

fn of_trait(options: TokenStream, item: &ItemTrait) -> TokenStream {
    let mut errors = Errors::default();
    let service = Service::parse(options, item, &mut errors);
    match errors.into_error() {
        None => complete(&service),
        Some(error) => {
            let recovered = recovery::expand(service, item);
            beside(&error, &recovered)
        }
    }
}

fn complete(service: &Service) -> TokenStream {
    let contract = contract::define(service);
    let client = client::define(service);
    let server = server::define(service);
    let checks = checks::define(service);
    let schema = schema::define(service);
    let shared = contract::implement_for_arc(service);
    let calls = calls::implement(service);
    let client_itself = client::implement(service);
    let server_itself = server::implement(service);
    quote! {
        #contract
        #client
        #server
        const _: () = {
            #checks
            #schema
            #shared
            #calls
            #client_itself
            #server_itself
        };
    }
}

fn misplaced(message: &str, item: &TokenStream) -> TokenStream {
    beside(&syn::Error::new(Span::call_site(), message), item)
}

/// The errors, and the code as far as it makes sense, so that they are the only ones.
fn beside(error: &syn::Error, code: &TokenStream) -> TokenStream {
    let errors = error.to_compile_error();
    quote!(#errors #code)
}

fn has_trait(item: &TokenStream) -> bool {
    item.clone()
        .into_iter()
        .any(|token| matches!(token, TokenTree::Ident(word) if word == "trait"))
}

#[cfg(test)]
mod tests;
