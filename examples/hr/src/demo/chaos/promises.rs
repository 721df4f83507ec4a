//! What has to be so after the chaos.

use std::collections::{HashMap, HashSet};

use super::{ledger::Ledger, tally::Tally};
use crate::{employee::Employee, identity::EmployeeNumber, leave::Balance};

/// What callers saw, and what is there in the end.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) tally: Tally,
    pub(super) ledger: Ledger,
    /// Who was there before.
    pub(super) cast: Vec<EmployeeNumber>,
    /// Who is there now.
    pub(super) people: Vec<Employee>,
    /// The leave accounts of all of them, or why there is none.
    pub(super) accounts: Vec<Result<Balance, String>>,
}

/// One thing that has to be so.
#[derive(Debug)]
pub(super) struct Promise {
    pub(super) what: &'static str,
    /// How it is kept.
    pub(super) told: String,
    /// Each case in which it is not.
    pub(super) broken: Vec<String>,
}

impl Promise {
    pub(super) fn is_kept(&self) -> bool {
        self.broken.is_empty()
    }
}

impl Evidence {
    pub(super) fn promises(&self) -> Vec<Promise> {
        vec![
            self.idempotent_calls_succeed(),
            self.nobody_is_there_twice(),
            self.the_hired_are_there(),
            self.nobody_else_is_there(),
            self.nothing_stays_unknown(),
            self.leave_is_granted_once(),
        ]
    }

    fn idempotent_calls_succeed(&self) -> Promise {
        Promise {
            what: "idempotent calls all succeed",
            told: format!("{} calls", self.tally.idempotent()),
            broken: self.tally.failures().to_vec(),
        }
    }

    fn nobody_is_there_twice(&self) -> Promise {
        let mut seen = HashSet::new();
        let people = self.people.iter();
        let twice = people.filter(|employee| !seen.insert(&*employee.person.name));
        let told = |employee: &Employee| {
            let (name, number) = (&employee.person.name, employee.number);
            format!("{name} is there once more as employee {number}")
        };
        Promise {
            what: "no hire happens twice",
            told: format!("{} people, each another one", self.people.len()),
            broken: twice.map(told).collect(),
        }
    }

    fn the_hired_are_there(&self) -> Promise {
        let numbers: HashMap<_, _> = self.by_name();
        let missing = self.ledger.hired().filter_map(|(hire, onboarded)| {
            let told = onboarded.employee.number;
            match numbers.get(&*hire.name) {
                Some(number) if *number == told => None,
                Some(number) => Some(format!(
                    "{} is employee {number}, and was said to be {told}",
                    hire.name
                )),
                None => Some(format!(
                    "{} (key {}) was hired as employee {told}, and is not there",
                    hire.name, hire.key
                )),
            }
        });
        let again = self.ledger.asked_again();
        Promise {
            what: "who is hired is there",
            told: format!(
                "{} hires, {again} of them asked for again",
                self.ledger.hired().count()
            ),
            broken: missing.collect(),
        }
    }

    fn nobody_else_is_there(&self) -> Promise {
        let numbers = self.by_name();
        let failed = self.ledger.not_hired().filter_map(|(hire, why)| {
            let number = numbers.get(&*hire.name)?;
            let name = &hire.name;
            Some(format!(
                "{name} is there as employee {number}, though the hire failed: {why}"
            ))
        });
        let known: HashSet<_> = self.ledger.hires.iter().map(|hire| &*hire.name).collect();
        let strangers = self.people.iter().filter_map(|employee| {
            let Employee { number, person, .. } = employee;
            let is_known = known.contains(&*person.name) || self.cast.contains(number);
            (!is_known).then(|| format!("nobody asked for {}, employee {number}", person.name))
        });
        Promise {
            what: "who is not hired is not there",
            told: format!("{} hires that failed", self.ledger.not_hired().count()),
            broken: failed.chain(strangers).collect(),
        }
    }

    fn nothing_stays_unknown(&self) -> Promise {
        let unknown = self.ledger.unknown();
        let unknown = unknown.map(|(hire, why)| {
            let (name, asked) = (&hire.name, hire.asked);
            format!("{name} was asked for {asked} times, and may be hired or not: {why}")
        });
        Promise {
            what: "each hire is decided in the end",
            told: format!("{} hires", self.ledger.hires.len()),
            broken: unknown.collect(),
        }
    }

    fn leave_is_granted_once(&self) -> Promise {
        let hired = self.ledger.hired();
        let days: HashMap<_, _> = hired
            .map(|(hire, onboarded)| (onboarded.employee.number, hire.leave_days))
            .collect();
        let wrong = self.accounts.iter().filter_map(|account| match account {
            Ok(balance) => {
                let granted = days.get(&balance.employee);
                let is_right = granted.is_none_or(|days| *days == balance.entitled)
                    && balance.available == balance.entitled;
                (!is_right).then(|| balance.to_string())
            }
            Err(why) => Some(why.clone()),
        });
        Promise {
            what: "leave is granted once, and no day is lost",
            told: format!("{} accounts", self.accounts.len()),
            broken: wrong.collect(),
        }
    }

    fn by_name(&self) -> HashMap<&str, EmployeeNumber> {
        let people = self.people.iter();
        people
            .map(|employee| (&*employee.person.name, employee.number))
            .collect()
    }
}
