use crate::{ha::Strategy, limit::CallLimits};

/// What is different for one method of a cluster; what it leaves open is as the trait declares it, and else as the
/// cluster has it.
///
/// ```
/// use doge_rpc_client::{CallLimits, MethodPolicy, Strategy};
///
/// let limits = CallLimits::new().concurrency(8);
/// let policy = MethodPolicy::new().strategy(Strategy::Failfast).limits(limits);
/// ```
#[derive(Clone, Debug, Default)]
pub struct MethodPolicy {
    pub(super) strategy: Option<Strategy>,
    pub(super) limits: Option<CallLimits>,
}

impl MethodPolicy {
    /// All open.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a call of this method does when an attempt fails.
    #[must_use]
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = Some(strategy);
        self
    }

    /// How many calls of this method this client makes, besides what the cluster as a whole allows.
    #[must_use]
    pub fn limits(mut self, limits: CallLimits) -> Self {
        self.limits = Some(limits);
        self
    }
}
