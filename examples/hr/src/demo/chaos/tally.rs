use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use doge_rpc::{Code, Status};

use super::system::{EMPLOYEE, LEAVE, ONBOARDING};
use crate::{employee::EmployeeError, leave::LeaveError, onboarding::OnboardingError};

/// What callers ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    Get,
    List,
    Count,
    Balance,
    Request,
    Reject,
    Onboard,
}

impl Call {
    pub(super) fn service(self) -> &'static str {
        match self {
            Self::Get | Self::List | Self::Count => EMPLOYEE,
            Self::Balance | Self::Request | Self::Reject => LEAVE,
            Self::Onboard => ONBOARDING,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Count => "count",
            Self::Balance => "balance",
            Self::Request => "request",
            Self::Reject => "reject",
            Self::Onboard => "onboard",
        }
    }

    pub(super) fn is_idempotent(self) -> bool {
        self != Self::Onboard
    }
}

/// How the calls went, as the callers saw them.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    lines: BTreeMap<Call, Line>,
    /// What idempotent calls failed with.
    failures: Vec<String>,
}

/// How the calls of one kind went.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    times: Vec<Duration>,
    errors: BTreeMap<u8, u64>,
    wrong: u64,
}

/// Why a call is not as it should be.
#[derive(Clone, Debug)]
pub(super) enum Failed {
    /// What the framework reports.
    Status(Status),
    /// An answer that cannot be.
    Wrong(String),
}

impl Tally {
    /// Writes a call down that began then.
    pub(super) fn record(&mut self, call: Call, began: Instant, result: Result<(), Failed>) {
        let line = self.lines.entry(call).or_default();
        let time = began.elapsed();
        line.times.push(time);
        let Err(failed) = result else { return };
        match &failed {
            Failed::Status(status) => *line.errors.entry(status.code().as_u8()).or_default() += 1,
            Failed::Wrong(_) => line.wrong += 1,
        }
        if call.is_idempotent() {
            let (service, name) = (call.service(), call.name());
            let why = match failed {
                Failed::Status(status) => status.to_string(),
                Failed::Wrong(why) => why,
            };
            self.failures
                .push(format!("{service}/{name}, after {time:.1?}: {why}"));
        }
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = (Call, &Line)> {
        self.lines.iter().map(|(call, line)| (*call, line))
    }

    /// What idempotent calls failed with.
    pub(super) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// How many idempotent calls there were.
    pub(super) fn idempotent(&self) -> usize {
        let lines = self.lines().filter(|(call, _)| call.is_idempotent());
        lines.map(|(_, line)| line.times.len()).sum()
    }

    /// The failures of the calls to a service, by code.
    pub(super) fn errors(&self, service: &str) -> Vec<(Code, u64)> {
        let mut errors = BTreeMap::<u8, u64>::new();
        let lines = self.lines().filter(|(call, _)| call.service() == service);
        for (code, count) in lines.flat_map(|(_, line)| &line.errors) {
            *errors.entry(*code).or_default() += count;
        }
        let errors = errors.into_iter();
        errors
            .map(|(code, count)| (Code::from_u8(code), count))
            .collect()
    }
}

impl Line {
    pub(super) fn calls(&self) -> usize {
        self.times.len()
    }

    pub(super) fn failed(&self) -> u64 {
        self.errors.values().sum::<u64>() + self.wrong
    }

    /// What so many in a thousand calls took at most.
    pub(super) fn time(&self, per_mille: usize) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        let at = (times.len() * per_mille).div_ceil(1000).saturating_sub(1);
        times.get(at).copied().unwrap_or_default()
    }
}

impl From<EmployeeError> for Failed {
    fn from(error: EmployeeError) -> Self {
        match error {
            EmployeeError::Status(status) => Self::Status(status),
            other => Self::Wrong(other.to_string()),
        }
    }
}

impl From<LeaveError> for Failed {
    fn from(error: LeaveError) -> Self {
        match error {
            LeaveError::Status(status) => Self::Status(status),
            other => Self::Wrong(other.to_string()),
        }
    }
}

impl From<OnboardingError> for Failed {
    fn from(error: OnboardingError) -> Self {
        match error {
            OnboardingError::Status(status) => Self::Status(status),
            other => Self::Wrong(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Line;

    #[test]
    fn times_are_of_the_calls_there_were() {
        let line = Line {
            times: (1..=200).rev().map(Duration::from_millis).collect(),
            ..Line::default()
        };
        let millis = [500, 990, 1000].map(|per_mille| line.time(per_mille).as_millis());
        assert_eq!(millis, [100, 198, 200]);
        assert_eq!(Line::default().time(990), Duration::ZERO);
    }
}
