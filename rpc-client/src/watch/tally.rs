use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Release},
        },
    },
    time::Duration,
};

use doge_rpc_core::{
    Code, Status,
    call::{BodyEnd, Cancellation, Response},
    observe::LatencyHistogram,
};

use super::{latency::LatencyCounters, striped::Striped};

/// Ended calls, or attempts, by code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndedCalls {
    /// Counts by code; only codes that occurred. An error of the application counts as `Ok`.
    pub codes: BTreeMap<Code, u64>,
    /// Answers that are an error of the application; `Ok` includes them.
    pub application_errors: u64,
}

impl EndedCalls {
    /// The number that ended with this code.
    pub fn with(&self, code: Code) -> u64 {
        self.codes.get(&code).copied().unwrap_or(0)
    }

    /// The number that ended.
    pub fn total(&self) -> u64 {
        self.codes.values().sum()
    }
}

/// Counts started calls, or attempts, and their ends by code. Starts and answers have counters per thread.
#[derive(Debug)]
pub(crate) struct Tally {
    usual: Striped<USUAL>,
    failures: Failures,
    latencies: Option<LatencyCounters>,
}

/// The counters per thread: starts, results, errors of the application.
const USUAL: usize = 3;

const STARTED: usize = 0;
const RESULTS: usize = 1;
const APPLICATION_ERRORS: usize = RESULTS + 1;

impl Tally {
    /// Zero counters; with durations if `timed`.
    pub(crate) fn new(timed: bool) -> Self {
        Self {
            usual: Striped::new(),
            failures: Failures::default(),
            latencies: timed.then(LatencyCounters::new),
        }
    }

    /// Counts a start. The returned guard counts the end.
    #[inline(always)]
    pub(crate) fn begin(self: &Arc<Self>) -> Counted<'_> {
        self.usual.add(STARTED, 1);
        Counted {
            tally: self,
            failures: None,
            ended: false,
        }
    }

    /// Counts a duration.
    pub(crate) fn took(&self, elapsed: Duration) {
        if let Some(latencies) = &self.latencies {
            latencies.record(elapsed);
        }
    }

    pub(crate) fn latencies(&self) -> Option<LatencyHistogram> {
        self.latencies.as_ref().map(|latencies| latencies.read())
    }

    pub(crate) fn started(&self) -> u64 {
        self.usual.sum(STARTED)
    }

    pub(crate) fn ended(&self) -> EndedCalls {
        let application_errors = self.usual.sum(APPLICATION_ERRORS);
        let mut codes = self.failures.read();
        let answers = self.usual.sum(RESULTS) + application_errors;
        if answers > 0 {
            codes.insert(Code::Ok, answers);
        }
        EndedCalls {
            codes,
            application_errors,
        }
    }
}

/// A started call or attempt. If dropped before its end, it counts under the code of the cancellation that drops it. An
/// answer with items ends when its items do.
#[derive(Debug)]
#[must_use = "what is dropped was given up"]
pub(crate) struct Counted<'a> {
    tally: &'a Arc<Tally>,
    failures: Option<&'a Arc<Failures>>,
    ended: bool,
}

impl<'a> Counted<'a> {
    /// Also counts its failure here.
    #[inline(always)]
    pub(crate) fn with_failures(mut self, failures: &'a Arc<Failures>) -> Self {
        self.failures = Some(failures);
        self
    }

    #[inline(always)]
    pub(crate) fn end(mut self, answer: &Result<Response, Status>) {
        self.ended = true;
        match answer {
            Ok(response) if response.body().has_items() => self.follow(response),
            Ok(response) => {
                let is_error = usize::from(response.is_application_error());
                self.tally.usual.add(RESULTS + is_error, 1);
            }
            Err(status) => self.failed(status.code()),
        }
    }

    #[cold]
    fn failed(&self, code: Code) {
        match code {
            // A status with the code `Ok` is an answer.
            Code::Ok => self.tally.usual.add(RESULTS, 1),
            code => self.tally.failures.add(code),
        }
        if let Some(failures) = self.failures {
            failures.add(code);
        }
    }

    #[cold]
    fn follow(&self, head: &Response) {
        let (tally, failures) = (Arc::clone(self.tally), self.failures.cloned());
        let is_error = head.is_application_error();
        head.body().on_end(move |end| {
            let counted = Counted {
                tally: &tally,
                failures: failures.as_ref(),
                ended: true,
            };
            match code_of(&end) {
                Code::Ok => tally.usual.add(RESULTS + usize::from(is_error), 1),
                code => counted.failed(code),
            }
        });
    }
}

impl Drop for Counted<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.ended {
            self.failed(Cancellation::current().code());
        }
    }
}

/// The code under which a call counts whose items ended so.
fn code_of(end: &BodyEnd) -> Code {
    match end {
        BodyEnd::Complete => Code::Ok,
        BodyEnd::Failed(status) => status.code(),
        _ => Cancellation::current().code(),
    }
}

/// Counts failures by code.
#[derive(Debug, Default)]
pub(crate) struct Failures([AtomicU64; CODES]);

/// The codes are the numbers below this.
const CODES: usize = Code::Unauthenticated as usize + 1;

impl Failures {
    /// Counts a failure.
    fn add(&self, code: Code) {
        if code == Code::Ok {
            return;
        }
        if let Some(counter) = self.0.get(usize::from(code.as_u8())) {
            counter.fetch_add(1, Release);
        }
    }

    /// Counts by code; only codes that occurred.
    pub(crate) fn read(&self) -> BTreeMap<Code, u64> {
        let counts = self.0.iter().map(|counter| counter.load(Acquire));
        let by_code = (0..).map(Code::from_u8).zip(counts);
        by_code.filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use doge_rpc_core::{
        Code, Status,
        call::{CancelReason, Cancellation, Response},
    };

    use super::{CODES, Failures, Tally};

    #[test]
    fn what_is_dropped_counts_under_the_code_of_its_cancellation() {
        let (tally, failures) = (Arc::new(Tally::new(false)), Arc::<Failures>::default());
        drop(tally.begin().with_failures(&failures));
        let late = Cancellation::bare(CancelReason::Deadline);
        late.scope(|| drop(tally.begin().with_failures(&failures)));
        let ended = tally.ended().codes;
        assert_eq!(
            ended,
            [(Code::Cancelled, 1), (Code::DeadlineExceeded, 1)].into()
        );
        assert_eq!(ended, failures.read());
    }

    #[test]
    fn each_end_counts_under_its_code() {
        let tally = Arc::new(Tally::new(false));
        assert_eq!(tally.ended(), super::EndedCalls::default());
        for number in 0..CODES as u8 {
            for _ in 0..=number {
                tally.begin().end(&match number {
                    0 => Ok(Response::from_result(Bytes::new())),
                    number => Err(Status::new(Code::from_u8(number), "")),
                });
            }
        }
        tally.begin().end(&Ok(Response::from_error(Bytes::new())));
        let _running = tally.begin();
        let ended = tally.ended();
        assert_eq!((ended.with(Code::Ok), ended.application_errors), (2, 1));
        for number in 1..CODES as u8 {
            assert_eq!(ended.with(Code::from_u8(number)), u64::from(number) + 1);
        }
        assert_eq!(tally.started(), ended.total() + 1);
    }
}
