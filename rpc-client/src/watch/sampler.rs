use std::{fmt, sync::Arc};

use doge_rpc_core::call::Request;

/// Decides which calls get a span, before the span is created: an unused span costs more than the rest of a call's
/// bookkeeping. Cheap to clone.
///
/// ```
/// use doge_rpc_client::SpanSampler;
///
/// // Calls whose caller is traced, by the flag of W3C's `traceparent`.
/// let sampler = SpanSampler::new(|request| {
///     let parent = request.metadata().get("traceparent");
///     parent.is_some_and(|parent| parent.ends_with(b"-01"))
/// });
/// # let _ = sampler;
/// ```
#[derive(Clone)]
pub struct SpanSampler(Arc<dyn Fn(&Request) -> bool + Send + Sync>);

impl SpanSampler {
    /// Samples the calls for which `wants` returns true. It is called only while a subscriber collects spans of the
    /// target `doge::call`.
    pub fn new(wants: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(wants))
    }

    pub(crate) fn wants(&self, request: &Request) -> bool {
        (self.0)(request)
    }
}

impl fmt::Debug for SpanSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SpanSampler")
    }
}
