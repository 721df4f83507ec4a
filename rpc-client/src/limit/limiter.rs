use std::sync::Arc;

use doge_rpc_core::{Deadline, Status, call::Body};
use tokio::{sync::SemaphorePermit, time::Instant};

use super::{
    CallLimits, InvalidLimits, Wait, queue::Queue, rate::Rate, refusal::Refusal, slots::Slots,
};

/// The limits of one service or method at work.
///
/// While there is room and nobody waits, a call passes with a few atomic operations.
#[derive(Debug)]
pub(crate) struct Limiter {
    name: String,
    rate: Option<Rate>,
    slots: Option<Slots>,
    /// None when calls do not wait.
    queue: Option<Queue>,
}

/// Leave to make one call, which counts as in flight until this is dropped.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    slot: Option<SemaphorePermit<'a>>,
}

impl Permit<'_> {
    /// Counts the call as in flight until the items of its answer have ended.
    pub(crate) fn follow(self, limiter: &Arc<Limiter>, body: &Body) {
        let Some(slot) = self.slot else { return };
        slot.forget();
        let limiter = Arc::clone(limiter);
        body.on_end(move |_| limiter.slots.iter().for_each(Slots::give_back));
    }
}

impl Limiter {
    /// `name` is what the limits are of, as a refusal says it: `hr.employee`, or `hr.employee/get`.
    ///
    /// # Errors
    ///
    /// When the limits are not valid.
    pub(crate) fn new(limits: &CallLimits, name: impl Into<String>) -> Result<Self, InvalidLimits> {
        let rate = limits.valid_rate()?;
        let most = limits.valid_concurrency()?;
        Ok(Self {
            name: name.into(),
            rate: rate.as_ref().map(Rate::new),
            slots: most.map(Slots::new),
            queue: match limits.wait {
                Wait::Never => None,
                Wait::UpTo { callers, time } => Some(Queue::new(callers, time)),
            },
        })
    }

    /// Lets a call through, now or when it is its turn. Cancel safe: a dropped caller gives back its place, and has
    /// taken nothing from the rate.
    ///
    /// # Errors
    ///
    /// `ResourceExhausted` with [`Status::never_ran`], and with a pushback when the time is known from which there is
    /// room. At once when the call would wait in vain, as its deadline or the longest wait ends before its turn.
    pub(crate) async fn acquire(&self, deadline: Deadline) -> Result<Permit<'_>, Status> {
        let passed = match &self.queue {
            Some(queue) if queue.is_used() => Box::pin(self.wait(queue, deadline)).await,
            Some(queue) => match self.pass() {
                Err(_) => Box::pin(self.wait(queue, deadline)).await,
                passed => passed,
            },
            None => self.pass(),
        };
        passed.map_err(|refusal| self.status(refusal))
    }

    /// Passes if there is room now.
    fn pass(&self) -> Result<Permit<'_>, Refusal> {
        let slot = match &self.slots {
            Some(slots) => Some(slots.take().ok_or(Refusal::Concurrency)?),
            None => None,
        };
        // Last, as a token cannot be given back.
        if let Some(rate) = &self.rate {
            rate.take().map_err(Refusal::Rate)?;
        }
        Ok(Permit { slot })
    }

    async fn wait(&self, queue: &Queue, deadline: Deadline) -> Result<Permit<'_>, Refusal> {
        let token_after = |ahead| self.rate.as_ref().and_then(|rate| rate.token_after(ahead));
        let Some(place) = queue.join() else {
            return Err(Refusal::Queue(
                queue.callers(),
                token_after(queue.callers()),
            ));
        };
        let until = Deadline::after(queue.time()).min(deadline).instant();
        if let Some(at) = token_after(place.ahead()).filter(|at| *at > until) {
            return Err(Refusal::InVain(at));
        }
        tokio::time::timeout_at(until, async {
            let _first = queue.first().await;
            self.pass_first(until).await
        })
        .await
        .unwrap_or(Err(Refusal::Waited))
    }

    /// Passes when there is room. Whoever looks must be the first that waits.
    async fn pass_first(&self, until: Instant) -> Result<Permit<'_>, Refusal> {
        let slot = match &self.slots {
            Some(slots) => Some(slots.wait().await),
            None => None,
        };
        if let Some(rate) = &self.rate {
            while let Err(at) = rate.take() {
                if at > until {
                    return Err(Refusal::InVain(at));
                }
                tokio::time::sleep_until(at).await;
            }
        }
        Ok(Permit { slot })
    }

    fn status(&self, refusal: Refusal) -> Status {
        let rate = self.rate.iter().map(ToString::to_string);
        let slots = self.slots.iter().map(ToString::to_string);
        let met: Vec<_> = match refusal {
            Refusal::Rate(_) | Refusal::InVain(_) => rate.collect(),
            Refusal::Concurrency => slots.collect(),
            Refusal::Queue(..) | Refusal::Waited => rate.chain(slots).collect(),
        };
        refusal.status(&self.name, met.join(" and "))
    }
}
