use std::time::Duration;

use doge_rpc_core::{
    Code,
    observe::{LatencyHistogram, RefusalReason},
};

use super::MethodStats;

/// The index of a method in the statistics of the server; [`Place::OTHER`] for unknown methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(usize);

impl Place {
    pub(crate) const OTHER: Self = Self(usize::MAX);

    /// The method at this index.
    pub(crate) fn of(index: usize) -> Self {
        Self(index)
    }

    /// Beyond all methods for [`Place::OTHER`].
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

/// The counters of a connection, plain numbers under the lock of its state. Only methods that were called take memory.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    methods: Vec<Method>,
    /// The index of the method of the last call.
    last: usize,
}

#[derive(Debug)]
struct Method {
    place: Place,
    started: u64,
    ok: u64,
    application_errors: u64,
    /// By code; created by the first call that does not end with `Ok`.
    failed: Option<Box<[u64; Code::ALL.len()]>>,
    /// By reason; created by the first refusal.
    refused: Option<Box<[u64; RefusalReason::ALL.len()]>>,
    latency: Option<Box<LatencyHistogram>>,
}

impl Counters {
    /// Counts a call that was dispatched and answered at once, the common case.
    #[inline]
    pub(crate) fn answer(&mut self, place: Place) {
        let method = self.method(place);
        method.started += 1;
        method.ok += 1;
    }

    /// Counts a call that was dispatched.
    pub(crate) fn start(&mut self, place: Place) {
        self.method(place).started += 1;
    }

    /// Counts the end of a call that was dispatched.
    pub(crate) fn end(
        &mut self,
        place: Place,
        code: Code,
        is_application_error: bool,
        elapsed: Option<Duration>,
    ) {
        let method = self.method(place);
        method.application_errors += u64::from(is_application_error);
        match code {
            Code::Ok => method.ok += 1,
            code => method.fail(code, 1),
        }
        if let Some(elapsed) = elapsed {
            method.latency.get_or_insert_default().record(elapsed);
        }
    }

    /// Counts a call that was refused.
    pub(crate) fn refuse(&mut self, place: Place, reason: RefusalReason) {
        self.method(place).refuse(reason, 1);
    }

    /// Adds the counters of another connection.
    pub(crate) fn add(&mut self, other: &Self) {
        for more in &other.methods {
            self.method(more.place).add(more);
        }
    }

    /// Adds the counters to the statistics of the server, whose last entry is for unknown methods.
    pub(crate) fn add_to(&self, methods: &mut [MethodStats]) {
        let other = methods.len().saturating_sub(1);
        for method in &self.methods {
            let index = method.place.index().min(other);
            if let Some(stats) = methods.get_mut(index) {
                method.add_to(stats);
            }
        }
    }

    /// The counters of a method. A connection mostly calls few methods, and the same method repeatedly.
    #[inline]
    fn method(&mut self, place: Place) -> &mut Method {
        if self
            .methods
            .get(self.last)
            .is_none_or(|it| it.place != place)
        {
            self.last = self.find(place);
        }
        &mut self.methods[self.last]
    }

    #[cold]
    fn find(&mut self, place: Place) -> usize {
        let found = self.methods.iter().position(|it| it.place == place);
        found.unwrap_or_else(|| {
            self.methods.push(Method::new(place));
            self.methods.len() - 1
        })
    }
}

impl Method {
    fn new(place: Place) -> Self {
        Self {
            place,
            started: 0,
            ok: 0,
            application_errors: 0,
            failed: None,
            refused: None,
            latency: None,
        }
    }

    fn fail(&mut self, code: Code, calls: u64) {
        self.failed.get_or_insert_default()[usize::from(code.as_u8())] += calls;
    }

    fn refuse(&mut self, reason: RefusalReason, calls: u64) {
        self.refused.get_or_insert_default()[reason as usize] += calls;
    }

    /// Codes other than `Ok` that occurred, and how often.
    fn failures(&self) -> impl Iterator<Item = (Code, u64)> {
        let counts = self.failed.iter().flat_map(|failed| failed.iter().copied());
        Code::ALL
            .into_iter()
            .zip(counts)
            .filter(|(_, calls)| *calls > 0)
    }

    /// Reasons that occurred, and how often.
    fn refusals(&self) -> impl Iterator<Item = (RefusalReason, u64)> {
        let counts = self
            .refused
            .iter()
            .flat_map(|refused| refused.iter().copied());
        let reasons = RefusalReason::ALL.into_iter().zip(counts);
        reasons.filter(|(_, calls)| *calls > 0)
    }

    fn add(&mut self, other: &Self) {
        self.started += other.started;
        self.ok += other.ok;
        self.application_errors += other.application_errors;
        other
            .failures()
            .for_each(|(code, calls)| self.fail(code, calls));
        other
            .refusals()
            .for_each(|(reason, calls)| self.refuse(reason, calls));
        if let Some(latency) = &other.latency {
            self.latency.get_or_insert_default().add(latency);
        }
    }

    fn add_to(&self, stats: &mut MethodStats) {
        let ok = Some((Code::Ok, self.ok)).filter(|(_, calls)| *calls > 0);
        let mut ended = 0;
        for (code, calls) in ok.into_iter().chain(self.failures()) {
            *stats.ended.entry(code).or_default() += calls;
            ended += calls;
        }
        stats.started += self.started;
        stats.in_flight += self.started.saturating_sub(ended);
        stats.application_errors += self.application_errors;
        for (reason, calls) in self.refusals() {
            *stats.refused.entry(reason).or_default() += calls;
        }
        if let Some(latency) = &self.latency {
            stats.latency.get_or_insert_default().add(latency);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use doge_rpc_core::{Code, observe::RefusalReason};

    use super::{Counters, MethodStats, Place};

    #[test]
    fn the_sum_of_two_connections_is_what_both_counted() {
        let (one, two) = (Place::of(0), Place::of(1));
        let mut first = Counters::default();
        let mut second = Counters::default();
        for counters in [&mut first, &mut second] {
            for place in [one, two, one] {
                counters.start(place);
            }
            counters.end(one, Code::Ok, true, Some(Duration::from_millis(1)));
            counters.end(two, Code::NotFound, false, None);
            counters.refuse(Place::OTHER, RefusalReason::UnknownMethod);
        }
        let mut closed = Counters::default();
        closed.add(&first);
        let mut stats = [
            MethodStats::new("s", "a"),
            MethodStats::new("s", "b"),
            MethodStats::new("", "_OTHER"),
        ];
        closed.add_to(&mut stats);
        second.add_to(&mut stats);
        let [a, b, other] = stats;
        assert_eq!((a.started, a.in_flight, a.application_errors), (4, 2, 2));
        assert_eq!(a.ended, [(Code::Ok, 2)].into());
        assert_eq!(a.latency.map(|latency| latency.count()), Some(2));
        assert_eq!((b.started, b.in_flight), (2, 0));
        assert_eq!(b.ended, [(Code::NotFound, 2)].into());
        assert_eq!(other.refused, [(RefusalReason::UnknownMethod, 2)].into());
        assert_eq!(other.started, 0);
    }

    #[test]
    fn what_was_not_called_takes_no_memory() {
        let mut counters = Counters::default();
        assert_eq!(counters.methods.capacity(), 0);
        counters.start(Place::of(1_000));
        counters.end(Place::of(1_000), Code::Ok, false, None);
        assert_eq!(counters.methods.len(), 1);
        assert!(counters.methods[0].failed.is_none() && counters.methods[0].refused.is_none());
    }
}
