//! What the registries that live in servers elsewhere have in common.

#[cfg(any(feature = "etcd", feature = "etcd-v2"))]
pub(crate) mod bounds;
#[cfg(any(feature = "etcd", feature = "etcd-v2"))]
pub(crate) mod endpoint;
pub(crate) mod following;
#[cfg(any(feature = "etcd", feature = "etcd-v2"))]
pub(crate) mod hold;
#[cfg(any(feature = "etcd", feature = "etcd-v2"))]
pub(crate) mod pauses;
#[cfg(any(feature = "etcd", feature = "etcd-v2"))]
pub(crate) mod prefix;
#[cfg(any(feature = "etcd", feature = "etcd-v2"))]
pub(crate) mod telling;
#[cfg(any(feature = "etcd", feature = "etcd-v2"))]
pub(crate) mod tries;
pub(crate) mod url;
