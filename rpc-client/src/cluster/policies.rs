use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use doge_rpc_core::{
    call::Route,
    schema::{Hedge, MethodSchema},
};

use super::MethodPolicy;
use crate::{
    ha::{BackupRequest, Failover, HedgeDelay, Plan, Strategy},
    limit::{InvalidLimits, Limiter},
};

/// What is done for a call of each method. What is configured for a method counts first, then what its trait
/// declares, then what the cluster has for all.
#[derive(Debug)]
pub(super) struct Policies {
    strategy: Strategy,
    usual: Policy,
    configured: HashMap<String, Configured>,
    /// Methods of a schema, each resolved with its first call; a method's place is at its index or, where another
    /// schema has that, the next free one.
    resolved: Box<[OnceLock<Resolved>]>,
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

/// Methods beyond that on one cluster are called as if by name: what their trait declares is not looked at.
const PLACES: usize = 256;

impl Policies {
    /// # Errors
    ///
    /// When the limits of a method make no sense.
    pub(super) fn new(
        strategy: Strategy,
        methods: HashMap<String, MethodPolicy>,
    ) -> Result<Self, InvalidLimits> {
        let configured = methods.into_iter().map(|(name, method)| {
            let limiter = method
                .limits
                .map(|limits| Limiter::new(&limits, format!("method {name}")))
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
        })
    }

    pub(super) fn of(&self, route: &Route) -> &Policy {
        let resolved = route.schema().and_then(|method| self.resolve(method));
        resolved.unwrap_or_else(|| self.by_name(route.method()))
    }

    fn by_name(&self, method: &str) -> &Policy {
        let configured = self.configured.get(method);
        configured.map_or(&self.usual, |configured| &configured.policy)
    }

    fn resolve(&self, method: &'static MethodSchema) -> Option<&Policy> {
        let (before, from) = self.resolved.split_at(method.index() % PLACES);
        let mut places = from.iter().chain(before).map(|place| {
            place.get_or_init(|| Resolved {
                method,
                policy: self.policy(method),
            })
        });
        let resolved = places.find(|resolved| std::ptr::eq(resolved.method, method))?;
        Some(&resolved.policy)
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
        if let Some(delay) = method.hedge() {
            let backup = match &self.strategy {
                Strategy::BackupRequest(usual) => usual.clone(),
                _ => BackupRequest::default(),
            };
            return Some(Strategy::BackupRequest(BackupRequest {
                delay: match delay {
                    Hedge::After(time) => HedgeDelay::After(time),
                    Hedge::Percentile(percentile) => HedgeDelay::Percentile(percentile),
                },
                ..backup
            }));
        }
        let retries = method.retries()?;
        let failover = match &self.strategy {
            Strategy::Failover(usual) => usual.clone(),
            _ => Failover::default(),
        };
        Some(Strategy::Failover(Failover {
            retries,
            ..failover
        }))
    }
}
