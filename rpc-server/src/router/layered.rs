use doge_rpc_core::call::{BoxedService, Layers, Request};

use super::{Handler, Slot};

/// A service with tower layers around it.
pub(super) struct Layered(pub(super) BoxedService);

impl Handler for Layered {
    fn call(&self, request: Request, slot: &mut Slot) {
        slot.set(Layers::call(self.0.clone(), request));
    }
}
