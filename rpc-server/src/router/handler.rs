use doge_rpc_core::{
    Status,
    call::{Request, Response, Serve},
};
use tokio_util::sync::ReusableBoxFuture;

/// Where a handler's future runs: one box per connection, used again by each call that does not have to wait.
pub(crate) type Slot = ReusableBoxFuture<'static, Result<Response, Status>>;

/// A service of which only is known that it takes requests.
pub(crate) trait Handler: Send + Sync {
    /// Puts the future of a call into the slot.
    fn call(&self, request: Request, slot: &mut Slot);
}

/// A service without layers around it.
pub(super) struct Direct<S>(pub(super) S);

impl<S: Serve> Handler for Direct<S> {
    fn call(&self, request: Request, slot: &mut Slot) {
        slot.set(self.0.serve(request));
    }
}
