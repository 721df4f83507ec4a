//! The `#[service]` macro of doge-rpc: a trait becomes a client, a server and a schema.
//!
//! Use it through the facade, as `doge_rpc::service`, whose docs have a whole example: what it expands to names the
//! facade's crate.

mod duration;
mod errors;
mod expand;
mod model;
mod name;
mod options;
mod suggestion;

use proc_macro::TokenStream;

/// What `#[service]` makes of a trait, what it can be told, and what it asks for.
///
/// # What it makes
///
/// - The trait, as written, with `Send + Sync + 'static` among its supertraits and with futures that are `Send`.
///   Implementations are written with `async fn`. An `Arc` of an implementation is an implementation too.
/// - `EmployeeClient` (the trait's name without a trailing `Service`, and `Client`), which implements the trait by
///   calling it elsewhere.
/// - `EmployeeServer`, which serves any implementation: a `tower::Service` from request to response.
/// - The schema: the names, types and docs of methods and arguments, for reflection.
///
/// Client and server are as visible as the trait.
///
/// # Options of the service
///
/// | option | meaning | default |
/// |---|---|---|
/// | `name = "hr.employee"` | what the service is called on the wire and in the registry | the trait's name |
/// | `version = "1"` | the version in the registry; change it when old callers can no longer be served | `"1"` |
/// | `crate = "path"` | where the facade is, when it is renamed or re-exported | `"::doge_rpc"` |
///
/// Name and version are parts of registry keys, so each has 1 to 128 characters of `A-Z a-z 0-9 . _ -` and does not
/// start with a dot. A trait whose own name does not fit needs `name`.
///
/// # Options of a method: `#[rpc(..)]`
///
/// | option | meaning | default |
/// |---|---|---|
/// | `idempotent` | running it twice is as good as once, so that a call may be retried and hedged | not said |
/// | `retries = 3` | how often a call that failed is tried again at most, 0 to 5; needs `idempotent` | the client's |
/// | `hedge = "20ms"` | a call without an answer by then is made a second time, elsewhere, and the first answer counts; `ms`, `s` or `m`, less than `timeout`; needs `idempotent` | the client's |
/// | `hedge = "p95"` | the same, after the time in which 95 % of the method's calls have been answered; more than 0, less than 100, as in `"p99.9"` | the client's |
/// | `timeout = "300ms"` | how long a call may take unless the caller says otherwise; `ms`, `s` or `m` | the client's |
/// | `name = "fetch"` | what the method is called on the wire | the Rust name |
/// | `encoding = "array"` | structs as arrays of their fields rather than as maps, where they can be read back | `"map"` |
///
/// The name has 1 to 255 bytes of letters, digits and punctuation, without spaces or `/`.
///
/// # Options of an argument: `#[rpc(..)]`
///
/// | option | meaning |
/// |---|---|
/// | `default` | a caller that does not know the argument yet means `Default::default()` |
/// | `default = "path::to::function"` | the same, with what this function returns |
///
/// Arguments travel by position: add new ones at the end, with a default, and old callers are still served.
///
/// # What a service has to look like
///
/// Every method is `async`, takes `&self` and returns `Result<T, E>`. Arguments and results are owned values which
/// serde can write and read; an error type also says how it is made `From` a status, which is how failures of the
/// framework itself reach the caller. Whatever does not fit is a compile error at the spot, and says the mend. What serde
/// cannot carry, and how types may change, is in the docs of the module `wire`.
#[proc_macro_attribute]
pub fn service(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::service(options.into(), item.into()).into()
}
