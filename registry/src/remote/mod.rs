//! What the registries that live in servers elsewhere have in common.

pub(crate) mod bounds;
pub(crate) mod endpoint;
pub(crate) mod following;
pub(crate) mod hold;
pub(crate) mod host_port;
pub(crate) mod pauses;
pub(crate) mod prefix;
pub(crate) mod telling;
pub(crate) mod tries;
pub(crate) mod url;
