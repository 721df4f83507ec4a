use doge_rpc_core::{
    Context, Status,
    call::{Request, Response, Serve},
};
use tokio_util::sync::ReusableBoxFuture;

/// Where a handler's future runs: one box per connection, used again by each call that does not have to wait.
pub(crate) type Slot = ReusableBoxFuture<'static, Result<Response, Status>>;

/// A service of which only is known that it takes requests.
pub(crate) trait Handler: Send + Sync {
    /// Puts the future of a call into the slot. The future is to be polled within `context`, which is that of the request.
    fn call(&self, request: Request, context: &Context, slot: &mut Slot);

    /// Whether layers are around the handler. They see how the call ends: the handler inside them listens for the
    /// cancellation of the call.
    fn is_layered(&self) -> bool;
}

/// A service without layers around it.
pub(super) struct Direct<S>(pub(super) S);

impl<S: Serve> Handler for Direct<S> {
    fn call(&self, request: Request, _: &Context, slot: &mut Slot) {
        slot.set(self.0.serve(request));
    }

    fn is_layered(&self) -> bool {
        false
    }
}
