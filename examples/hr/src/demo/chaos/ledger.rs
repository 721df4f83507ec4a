use crate::{identity::RequestKey, onboarding::Onboarded};

/// Whom the callers wanted to hire, and what they were told.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) hires: Vec<Hire>,
}

/// A person to hire. The name is nobody else's, so that people can be counted by it.
#[derive(Clone, Debug)]
pub(super) struct Hire {
    pub(super) name: String,
    pub(super) key: RequestKey,
    pub(super) leave_days: u32,
    /// How often it was asked for, with the same key.
    pub(super) asked: u32,
    pub(super) outcome: Outcome,
}

/// What the caller knows in the end.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Hired(Box<Onboarded>),
    /// The person is not there, for this reason.
    NotHired(String),
    /// Nobody can say; the last thing that was said is this.
    Unknown(String),
}

impl Ledger {
    /// The hires whose first answer left open what had happened.
    pub(super) fn asked_again(&self) -> usize {
        self.hires.iter().filter(|hire| hire.asked > 1).count()
    }

    pub(super) fn hired(&self) -> impl Iterator<Item = (&Hire, &Onboarded)> {
        self.hires.iter().filter_map(|hire| match &hire.outcome {
            Outcome::Hired(onboarded) => Some((hire, &**onboarded)),
            _ => None,
        })
    }

    pub(super) fn not_hired(&self) -> impl Iterator<Item = (&Hire, &str)> {
        self.hires.iter().filter_map(|hire| match &hire.outcome {
            Outcome::NotHired(why) => Some((hire, &**why)),
            _ => None,
        })
    }

    pub(super) fn unknown(&self) -> impl Iterator<Item = (&Hire, &str)> {
        self.hires.iter().filter_map(|hire| match &hire.outcome {
            Outcome::Unknown(why) => Some((hire, &**why)),
            _ => None,
        })
    }
}
