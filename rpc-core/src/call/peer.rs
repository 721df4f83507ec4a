use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use crate::transport::Address;

/// The caller, as a server sees it. Cheap to clone.
///
/// ```
/// use doge_rpc_core::call::Peer;
///
/// let peer = Peer::new("tcp://10.0.0.7:51234".parse()?);
/// assert_eq!(peer.to_string(), "tcp://10.0.0.7:51234");
/// assert_eq!(Peer::in_process().address(), None);
/// # Ok::<(), doge_rpc_core::transport::AddressError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Peer(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    address: Option<Address>,
}

impl Peer {
    /// A peer with this address.
    pub fn new(address: Address) -> Self {
        Self(Arc::new(Inner {
            address: Some(address),
        }))
    }

    /// A caller in the same process, which has no address.
    pub fn in_process() -> Self {
        static PEER: LazyLock<Arc<Inner>> = LazyLock::new(|| Arc::new(Inner { address: None }));
        Self(Arc::clone(&PEER))
    }

    /// Whether both share one allocation.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The address of the peer; `None` for a caller in the same process.
    pub fn address(&self) -> Option<&Address> {
        self.0.address.as_ref()
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address() {
            Some(address) => address.fmt(f),
            None => f.write_str("this process"),
        }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({self})")
    }
}
