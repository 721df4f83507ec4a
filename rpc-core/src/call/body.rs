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

    /// Calls `ended` when the exchange is over: when the items have ended or are dropped, and at once when there are no
    /// items. A guard that `ended` owns is so kept until then.
    ///
    /// ```
    /// # futures_util::future::FutureExt::now_or_never(async {
    /// use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};
    ///
    /// use bytes::Bytes;
    /// use doge_rpc_core::call::{Body, BodyEnd};
    /// use futures_util::stream::{self, StreamExt as _};
    ///
    /// let in_flight = Arc::new(AtomicUsize::new(1));
    /// let items = stream::iter([Ok(Bytes::from_static(b"\x01"))]);
    /// let body = Body::with_items(Bytes::new(), items);
    /// let counted = Arc::clone(&in_flight);
    /// body.on_end(move |end| {
    ///     assert!(matches!(end, BodyEnd::Complete));
    ///     counted.fetch_sub(1, Ordering::Relaxed);
    /// });
    ///
    /// let mut items = body.take_items().unwrap();
    /// assert!(items.next().await.is_some());
    /// assert_eq!(in_flight.load(Ordering::Relaxed), 1);
    /// assert!(items.next().await.is_none());
    /// assert_eq!(in_flight.load(Ordering::Relaxed), 0);
    /// # }).unwrap();
    /// ```
    pub fn on_end(&self, ended: impl FnOnce(BodyEnd) + Send + 'static) {
        let Some(items) = &self.items else {
            return ended(BodyEnd::Complete);
        };
        let mut items = items.lock();
        match items.take() {
            Some(inner) => *items = Some(Followed::new(inner, ended).boxed()),
            None => {
                drop(items);
                ended(BodyEnd::Dropped);
            }
        }
    }
}

/// How the items of a body came to their end.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum BodyEnd {
    /// After the last item; and where there are no items, at once.
    Complete,
    /// With a status, after which no item follows.
    Failed(Status),
    /// They were dropped before their end, or taken before anybody followed them.
    Dropped,
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

/// Items that somebody wants to know the end of.
struct Followed<F: FnOnce(BodyEnd)> {
    items: Items,
    ended: Option<F>,
}

impl<F: FnOnce(BodyEnd)> Followed<F> {
    fn new(items: Items, ended: F) -> Self {
        Self {
            items,
            ended: Some(ended),
        }
    }

    fn end(&mut self, end: BodyEnd) {
        if let Some(ended) = self.ended.take() {
            ended(end);
        }
    }
}

impl<F: FnOnce(BodyEnd)> Unpin for Followed<F> {}

impl<F: FnOnce(BodyEnd)> Stream for Followed<F> {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.items.poll_next_unpin(cx);
        match &next {
            Poll::Ready(None) => self.end(BodyEnd::Complete),
            Poll::Ready(Some(Err(status))) => self.end(BodyEnd::Failed(status.clone())),
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        next
    }
}

impl<F: FnOnce(BodyEnd)> Drop for Followed<F> {
    fn drop(&mut self) {
        self.end(BodyEnd::Dropped);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use futures_util::{FutureExt as _, StreamExt as _, stream};
    use parking_lot::Mutex;

    use super::{Body, BodyEnd};
    use crate::Status;

    fn of(items: Vec<Result<Bytes, Status>>) -> Body {
        Body::with_items(Bytes::new(), stream::iter(items))
    }

    #[test]
    fn the_end_is_told_once_the_items_have_ended_or_are_dropped() {
        let item = || Ok(Bytes::from_static(b"\x01"));
        let ends = Arc::new(Mutex::new(Vec::new()));
        let follow = |body: &Body| {
            let ends = Arc::clone(&ends);
            body.on_end(move |end| ends.lock().push(end));
        };
        let told = || std::mem::take(&mut *ends.lock());
        follow(&Body::from(Bytes::new()));
        assert_eq!(told(), [BodyEnd::Complete], "there are no items");

        let failure = Status::internal("");
        for (items, end) in [
            (vec![item()], BodyEnd::Complete),
            (
                vec![item(), Err(failure.clone()), item()],
                BodyEnd::Failed(failure),
            ),
        ] {
            let body = of(items);
            follow(&body);
            let mut items = body.take_items().unwrap();
            items.next().now_or_never().unwrap();
            assert_eq!(told(), []);
            items.next().now_or_never().unwrap();
            assert_eq!(told(), [end]);
            drop(items);
            assert_eq!(told(), [], "told before");
        }

        let dropped = of(vec![item()]);
        follow(&dropped);
        drop(dropped.take_items());
        assert_eq!(told(), [BodyEnd::Dropped]);
        follow(&dropped);
        assert_eq!(told(), [BodyEnd::Dropped], "taken before");
        let never_taken = of(vec![item()]);
        follow(&never_taken);
        drop(never_taken);
        assert_eq!(told(), [BodyEnd::Dropped]);
    }

    #[test]
    fn items_are_taken_once_whichever_clone_is_asked() {
        let body = of(Vec::new());
        let clone = body.clone();
        assert!(clone.take_items().is_some());
        assert!(body.take_items().is_none() && body.has_items());
    }
}
