use std::time::Duration;

use crate::Deadline;

/// How a server treats peers that speak MessagePack-RPC.
///
/// ```
/// use doge_rpc_core::msgpack_rpc::Options;
///
/// let options = Options { max_message: 1024 * 1024, ..Options::default() };
/// assert_eq!(options.default_service, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The service that a method alone reaches, and the only one that can be registered with Python doge; `None` for the
    /// one that was added first. Any service is reached with its name in front: `service/method` or `service.method`.
    pub default_service: Option<String>,
    /// Whether a map of metadata stands in front of the params. By arity.
    pub meta: MetaMap,
    /// The largest message that is taken, in bytes; of a larger one, the caller is told. 64 MiB: Python doge has no limit.
    pub max_message: usize,
    /// The time that a call gets when neither its caller nor its method says anything. 1 s.
    pub timeout: Duration,
}

/// Whether a map of metadata stands in front of the params of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetaMap {
    /// Found out for each call: it does when the method has one argument less than there are params, and the first one
    /// is a map or nil, unless the calls of the connection that got a result have shown otherwise. Where the method's
    /// optional arguments allow both and nothing was shown, it does when the map has nothing but texts.
    #[default]
    ByArity,
    /// It does, as with doge from its repository; the first param is taken for the map, whatever it is.
    Always,
    /// It does not, as with dogerpc 0.1.4, mprpc alone and most other peers. No map is taken for a meta map, whatever its
    /// keys: what a caller puts into an argument never becomes metadata. Clients of this framework that send a meta map
    /// (`doge://`) cannot call such a server.
    Never,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            default_service: None,
            meta: MetaMap::default(),
            max_message: 64 * 1024 * 1024,
            timeout: Deadline::DEFAULT_TIMEOUT,
        }
    }
}
