mod recent;

use std::{
    collections::{BTreeMap, HashMap},
    ops::Deref,
    sync::{Arc, OnceLock},
};

use doge_rpc_core::{call::Route, schema::MethodSchema};

use self::recent::{MethodState, Recent};
use super::MethodPolicy;
use crate::{
    ha::{BackupRequest, Failover, Plan, Strategy},
    limit::{InvalidLimits, Limiter},
};

/// What is done for a call of each method. What is configured for a method counts first, then what its trait
/// declares, then what the cluster has for all.
#[derive(Debug)]
pub(super) struct Policies {
    strategy: Strategy,
    usual: Policy,
    configured: HashMap<String, Configured>,
    /// Methods of the program, each resolved with its first call, at the index in its service.
    resolved: Box<[OnceLock<Resolved>]>,
    /// Methods that have no place there: of a large service, of a second service, of a schema learnt at run time.
    others: Recent,
}

/// What is done for calls of a method.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) plan: Plan,
    pub(super) limiter: Option<Arc<Limiter>>,
}

#[derive(Debug)]
struct Configured {
    strategy: Option<Strategy>,
    policy: Policy,
}

#[derive(Debug)]
struct Resolved {
    method: &'static MethodSchema,
    policy: Policy,
}

/// Methods that are found by their index, at no cost. The others cost a look into a table.
const PLACES: usize = 256;

/// Methods without a place in a generation of [`Recent`]. Policies that learn a percentile are the largest, 20 KB each.
const OTHERS: usize = 512;

/// A policy, borrowed or counted.
#[derive(Debug)]
pub(super) enum PolicyRef<'a> {
    Borrowed(&'a Policy),
    Counted(Arc<MethodState>),
}

impl Deref for PolicyRef<'_> {
    type Target = Policy;

    fn deref(&self) -> &Policy {
        match self {
            Self::Borrowed(policy) => policy,
            Self::Counted(state) => &state.policy,
        }
    }
}

impl Policies {
    /// # Errors
    ///
    /// When the limits of a method make no sense.
    pub(super) fn new(
        service: &str,
        strategy: Strategy,
        methods: BTreeMap<String, MethodPolicy>,
    ) -> Result<Self, InvalidLimits> {
        let configured = methods.into_iter().map(|(name, method)| {
            let limiter = method
                .limits
                .map(|limits| Limiter::new(&limits, format!("method {service}/{name}")))
                .transpose()?;
            let plan = Plan::new(method.strategy.clone().unwrap_or_else(|| strategy.clone()));
            let configured = Configured {
                strategy: method.strategy,
                policy: Policy {
                    plan,
                    limiter: limiter.map(Arc::new),
                },
            };
            Ok((name, configured))
        });
        Ok(Self {
            configured: configured.collect::<Result<_, _>>()?,
            usual: Policy {
                plan: Plan::new(strategy.clone()),
                limiter: None,
            },
            strategy,
            resolved: (0..PLACES).map(|_| OnceLock::new()).collect(),
            others: Recent::new(OTHERS),
        })
    }

    /// The policy of the method that a route names.
    pub(super) fn of(&self, route: &Route) -> PolicyRef<'_> {
        let placed = route.static_schema().and_then(|it| self.at_its_place(it));
        if let Some(policy) = placed {
            return PolicyRef::Borrowed(policy);
        }
        match route.schema() {
            Some(method) => {
                let make = || self.policy(method);
                PolicyRef::Counted(self.others.get_or_make(method, make))
            }
            None => PolicyRef::Borrowed(self.by_name(route.method())),
        }
    }

    fn by_name(&self, method: &str) -> &Policy {
        let configured = self.configured.get(method);
        configured.map_or(&self.usual, |configured| &configured.policy)
    }

    /// The policy at the method's index, unless another method was there first.
    fn at_its_place(&self, method: &'static MethodSchema) -> Option<&Policy> {
        let resolved = self.resolved.get(method.index())?.get_or_init(|| Resolved {
            method,
            policy: self.policy(method),
        });
        std::ptr::eq(resolved.method, method).then_some(&resolved.policy)
    }

    fn policy(&self, method: &MethodSchema) -> Policy {
        let configured = self.configured.get(method.name());
        let strategy = configured.and_then(|configured| configured.strategy.clone());
        let strategy = strategy
            .or_else(|| self.declared(method))
            .unwrap_or_else(|| self.strategy.clone());
        Policy {
            plan: Plan::new(strategy),
            limiter: configured.and_then(|configured| configured.policy.limiter.clone()),
        }
    }

    /// What the trait says, with the rest as the cluster has it.
    fn declared(&self, method: &MethodSchema) -> Option<Strategy> {
        let usual = match &self.strategy {
            Strategy::Failover(failover) => failover.clone(),
            Strategy::BackupRequest(backup) => backup.failover.clone(),
            _ => Failover::default(),
        };
        let failover = Failover {
            retries: method.retries().unwrap_or(usual.retries),
            ..usual
        };
        if let Some(delay) = method.hedge() {
            let backup = match &self.strategy {
                Strategy::BackupRequest(usual) => usual.clone(),
                _ => BackupRequest::default(),
            };
            return Some(Strategy::BackupRequest(BackupRequest {
                delay,
                failover,
                ..backup
            }));
        }
        method.retries()?;
        Some(match &self.strategy {
            Strategy::BackupRequest(backup) => Strategy::BackupRequest(BackupRequest {
                failover,
                ..backup.clone()
            }),
            _ => Strategy::Failover(failover),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use doge_rpc_core::schema::{HedgeDelay, MethodSchema};

    use super::Policies;
    use crate::ha::{BackupRequest, Failover, Strategy};

    const HEDGE: HedgeDelay = HedgeDelay::After(Duration::from_millis(20));

    #[test]
    fn what_a_trait_declares_changes_that_and_leaves_the_rest() {
        let plain = MethodSchema::new("s", "plain", 0).with_idempotent();
        let retried = MethodSchema::new("s", "retried", 1).with_retries(4);
        let hedged = MethodSchema::new("s", "hedged", 2).with_hedge(HEDGE);
        let both = MethodSchema::new("s", "both", 3)
            .with_retries(4)
            .with_hedge(HEDGE);

        let slow = Failover {
            first_pause: Duration::from_millis(7),
            ..Failover::default()
        };
        let four = Failover {
            retries: 4,
            ..slow.clone()
        };
        let backup = |delay, failover: &Failover| {
            Strategy::BackupRequest(BackupRequest {
                delay,
                failover: failover.clone(),
                ..BackupRequest::default()
            })
        };
        let p95 = BackupRequest::default().delay;
        for (usual, expected) in [
            (
                Strategy::Failover(slow.clone()),
                [
                    None,
                    Some(Strategy::Failover(four.clone())),
                    Some(backup(HEDGE, &slow)),
                    Some(backup(HEDGE, &four)),
                ],
            ),
            (
                backup(p95, &slow),
                [
                    None,
                    Some(backup(p95, &four)),
                    Some(backup(HEDGE, &slow)),
                    Some(backup(HEDGE, &four)),
                ],
            ),
        ] {
            let policies = Policies::new("s", usual, BTreeMap::new()).unwrap();
            let declared = [&plain, &retried, &hedged, &both].map(|it| policies.declared(it));
            assert_eq!(declared, expected);
        }
    }
}
