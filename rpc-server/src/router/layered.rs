use doge_rpc_core::{
    Context,
    call::{BoxedService, Layers, Request},
};

use super::{Handler, Slot};

/// A service with tower layers around it.
pub(super) struct Layered(pub(super) BoxedService);

impl Handler for Layered {
    fn call(&self, request: Request, context: &Context, slot: &mut Slot) {
        context.layered();
        let arrived = context.clone();
        let request = request.with_arrived(context.clone());
        let call = Layers::call(self.0.clone(), request);
        slot.set(async move { arrived.finish(call.await) });
    }

    fn is_layered(&self) -> bool {
        true
    }
}
