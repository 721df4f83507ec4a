use std::time::Duration;

/// How an endpoint is called that speaks MessagePack-RPC: one whose address begins with `doge://` or `msgpack-rpc://`.
///
/// One call at a time goes over a connection, and calls that are made at once go over several.
///
/// ```
/// use std::time::Duration;
///
/// use doge_rpc_client::{Channel, ChannelConfig, MsgpackRpcConfig};
///
/// let msgpack_rpc = MsgpackRpcConfig {
///     connections: 8,
///     idle: Duration::from_secs(30),
///     ..MsgpackRpcConfig::default()
/// };
/// let config = ChannelConfig { msgpack_rpc, ..ChannelConfig::default() };
/// let channel = Channel::with_config("doge://127.0.0.1:4399".parse()?, config);
/// # Ok::<(), doge_rpc_core::transport::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MsgpackRpcConfig {
    /// Connections to one endpoint, which is how many calls are in flight there. Further calls wait in order, until
    /// their deadline. 32; at least 1.
    ///
    /// Python doge can be told to serve no more than a number of connections at once (`limitConn`), and leaves further
    /// ones without an answer until one is closed. A call on a connection that has not answered within 100 ms makes the
    /// next one that is free close, so that its turn comes. Connections that other clients hold do not help it, so
    /// this, times the clients, is better not above `limitConn`.
    pub connections: usize,
    /// How long a connection is kept that no call uses. 90 s, as hyper has it; at least 1 s. Better less than after
    /// what time the server, or whatever is in between, hangs up.
    pub idle: Duration,
    /// Largest answer, in bytes. 64 MiB.
    pub max_message: usize,
    /// Whether the meta map of `doge://` says which service is called (`doge-service`) and how much time is left
    /// (`doge-timeout-ms`). Yes: a server of this framework then runs no method of another service, and stops at the
    /// deadline of the caller; Python doge hands the map to filters and tracers only, which look for keys of their own.
    /// No is for servers whose methods or filters refuse keys that they do not know.
    pub framework_keys: bool,
    /// Whether methods are called as `service/method`. No, since Python servers know methods by their names alone. Yes is
    /// for a server of this framework that is called by `msgpack-rpc://`, where no map says which service is meant: by
    /// its name alone, a method is that of the default service of the port.
    pub qualified_methods: bool,
}

impl Default for MsgpackRpcConfig {
    fn default() -> Self {
        Self {
            connections: 32,
            idle: Duration::from_secs(90),
            max_message: 64 * 1024 * 1024,
            framework_keys: true,
            qualified_methods: false,
        }
    }
}
