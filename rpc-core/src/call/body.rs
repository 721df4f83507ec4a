use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt as _};
use parking_lot::Mutex;

use crate::Status;

/// The content of a request or of a response: bytes, optionally followed by a stream of items. Cheap to clone; clones
/// share the items, which can be taken once.
///
/// ```
/// use doge_rpc_core::call::Body;
///
/// let body = Body::from(bytes::Bytes::from_static(b"\x92\x01\x02"));
/// assert_eq!(body.bytes().len(), 3);
/// assert!(!body.has_items());
/// ```
///
/// Items work only inside a process, between layers and services: a connection refuses a body with items as
/// `Unimplemented`.
#[derive(Clone, Default)]
pub struct Body {
    bytes: Bytes,
    items: Option<Arc<Mutex<Option<Items>>>>,
}

/// The items of a body, in order. A status ends the stream.
pub type Items = BoxStream<'static, Result<Bytes, Status>>;

impl Body {
    /// A body of bytes followed by items.
    pub fn with_items(
        bytes: Bytes,
        items: impl Stream<Item = Result<Bytes, Status>> + Send + 'static,
    ) -> Self {
        Self {
            bytes,
            items: Some(Arc::new(Mutex::new(Some(items.boxed())))),
        }
    }

    /// The bytes: the arguments of a request, the result or the error of a response.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether the body was made with items, taken or not.
    pub fn has_items(&self) -> bool {
        self.items.is_some()
    }

    /// Takes the items; `None` if there are none, or this body or a clone has given them away before.
    pub fn take_items(&self) -> Option<Items> {
        self.items.as_ref()?.lock().take()
    }

    /// Keeps `guard` until the items have ended or are dropped. Without items the guard is dropped at once.
    pub fn hold(&self, guard: impl Send + 'static) {
        if let Some(items) = &self.items {
            let mut items = items.lock();
            *items = items.take().map(|items| Guarded::new(items, guard).boxed());
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, items: None }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = if self.has_items() { " and items" } else { "" };
        write!(f, "{} bytes{items}", self.bytes.len())
    }
}

/// Items with something that is dropped as soon as they have ended.
struct Guarded<G> {
    items: Items,
    guard: Option<G>,
}

impl<G> Guarded<G> {
    fn new(items: Items, guard: G) -> Self {
        Self {
            items,
            guard: Some(guard),
        }
    }
}

impl<G> Unpin for Guarded<G> {}

impl<G> Stream for Guarded<G> {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.items.poll_next_unpin(cx);
        if let Poll::Ready(None | Some(Err(_))) = next {
            self.guard = None;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use futures_util::{FutureExt as _, StreamExt as _, stream};

    use super::Body;
    use crate::Status;

    fn of(items: Vec<Result<Bytes, Status>>) -> Body {
        Body::with_items(Bytes::new(), stream::iter(items))
    }

    #[test]
    fn a_guard_is_kept_until_the_items_have_ended_or_are_dropped() {
        let item = || Ok(Bytes::from_static(b"\x01"));
        let guard = Arc::new(());
        Body::from(Bytes::new()).hold(Arc::clone(&guard));
        assert_eq!(Arc::strong_count(&guard), 1, "there are no items");

        for (items, polls) in [
            (vec![item()], 2),
            (vec![item(), Err(Status::internal("")), item()], 2),
        ] {
            let body = of(items);
            body.hold(Arc::clone(&guard));
            let mut items = body.take_items().unwrap();
            for poll in 0..polls {
                assert_eq!(Arc::strong_count(&guard), 2, "before poll {poll}");
                items.next().now_or_never().unwrap();
            }
            assert_eq!(Arc::strong_count(&guard), 1);
        }

        let dropped = of(vec![item()]);
        dropped.hold(Arc::clone(&guard));
        drop(dropped.take_items());
        assert_eq!(Arc::strong_count(&guard), 1);
        let never_taken = of(vec![item()]);
        never_taken.hold(Arc::clone(&guard));
        drop(never_taken);
        assert_eq!(Arc::strong_count(&guard), 1);
    }

    #[test]
    fn items_are_taken_once_whichever_clone_is_asked() {
        let body = of(Vec::new());
        let clone = body.clone();
        assert!(clone.take_items().is_some());
        assert!(body.take_items().is_none() && body.has_items());
    }
}
