use doge_rpc_core::{Status, call::Request};
use tower::{BoxError, ServiceExt as _, load_shed::error::Overloaded, timeout::error::Elapsed};

use super::{Boxed, Handler, Slot};

/// A service with tower layers around it.
pub(super) struct Layered(pub(super) Boxed);

impl Handler for Layered {
    fn call(&self, request: Request, slot: &mut Slot) {
        let service = self.0.clone();
        slot.set(async move { service.oneshot(request).await.map_err(into_status) });
    }
}

/// What a layer's error says of the call. tower's own are known; a layer that has more to say fails with a
/// [`Status`].
fn into_status(error: BoxError) -> Status {
    match error.downcast::<Status>() {
        Ok(status) => *status,
        Err(error) if error.is::<Overloaded>() => {
            Status::resource_exhausted("the service sheds load").with_never_ran(true)
        }
        Err(error) if error.is::<Elapsed>() => {
            Status::deadline_exceeded("a timeout layer stopped the call")
        }
        Err(error) => Status::unknown(error.to_string()),
    }
}
