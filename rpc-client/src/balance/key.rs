use doge_rpc_core::call::Request;
use xxhash_rust::xxh64::xxh64;

/// What of a call consistent hashing goes by.
///
/// ```
/// use doge_rpc_client::balance::HashKey;
/// use doge_rpc_core::{
///     Deadline,
///     call::{Request, Route},
///     schema::Encoding,
///     wire,
/// };
///
/// let route = Route::named("hr.employee", "get")?;
/// let body = wire::encode(&(7,), Encoding::Map)?;
/// let mut request = Request::new(route, body, Deadline::after(Deadline::DEFAULT_TIMEOUT));
/// let key = HashKey::Metadata("tenant".into());
/// assert_eq!(key.hash(&request), None);
/// request.metadata_mut().insert("tenant", "acme")?;
/// assert_eq!(key.hash(&request), Some(13_481_696_989_094_603_788));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashKey {
    /// The value of this key of the call's metadata.
    Metadata(String),
    /// The argument of this name, as the bytes that travel: one value is always the same bytes when it is of one type.
    /// Methods without such an argument, and those known by name only, have no key.
    Argument(String),
}

impl HashKey {
    /// The hash of a call's key, XXH64 with seed 0; `None` when the call has no such key.
    pub fn hash(&self, request: &Request) -> Option<u64> {
        let bytes = match self {
            Self::Metadata(key) => request.metadata().get(key)?,
            Self::Argument(name) => request.raw_argument(name)?,
        };
        Some(xxh64(bytes, 0))
    }
}
