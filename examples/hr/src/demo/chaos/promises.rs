//! What has to be so after the chaos.

use std::collections::{HashMap, HashSet};

use super::{
    journal::{Deed, Withheld},
    ledger::Ledger,
    tally::Tally,
};
use crate::{employee::Employee, identity::EmployeeNumber, leave::Balance};

/// The calls that may reach a replica before its clients, each for itself, have found out that it has no database; each
/// of them is repeated elsewhere.
const MOST_REACHED: u64 = 20;
/// Of every 20 calls, one more may reach it, since its clients check now and then whether it has recovered.
const MOST_SHARE: u64 = 20;

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
    /// What was done to the replicas.
    pub(super) deeds: Vec<Deed>,
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
            self.replicas_without_a_database_are_passed_over(),
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
            told: format!(
                "{} hires that were refused or undone",
                self.ledger.not_hired().count()
            ),
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

    fn replicas_without_a_database_are_passed_over(&self) -> Promise {
        let withheld = || {
            let deeds = self.deeds.iter();
            deeds.filter_map(|deed| Some((&deed.replica, deed.withheld?)))
        };
        let called = withheld().filter(|(_, it)| it.reached > MOST_REACHED + it.calls / MOST_SHARE);
        let sum = |part: fn(Withheld) -> u64| -> u64 { withheld().map(|(_, it)| part(it)).sum() };
        let (reached, calls) = (sum(|it| it.reached), sum(|it| it.calls));
        Promise {
            what: "a replica without its database gets hardly any calls",
            told: format!("{} times, {reached} of {calls} calls", withheld().count()),
            broken: called
                .map(|(replica, Withheld { calls, reached })| {
                    format!("{replica} got {reached} of {calls} calls")
                })
                .collect(),
        }
    }

    fn by_name(&self) -> HashMap<&str, EmployeeNumber> {
        let people = self.people.iter();
        people
            .map(|employee| (&*employee.person.name, employee.number))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::{
        demo::{
            chaos::{
                ledger::{Hire, Outcome},
                schedule::Blow,
                tally::{Call, Failed},
            },
            people,
        },
        employee::Employment,
        onboarding::Onboarded,
    };

    fn employee(name: &str, number: u32) -> Employee {
        let newcomer = people::newcomer(name, 30, 30);
        Employee {
            number: number.try_into().unwrap(),
            person: newcomer.person,
            position: newcomer.position,
            years_at_company: 0,
            employment: Employment::Active,
            revision: 1,
        }
    }

    fn balance(number: u32, entitled: u32, pending: u32) -> Balance {
        Balance {
            employee: number.try_into().unwrap(),
            entitled,
            taken: 0,
            pending,
            available: entitled - pending,
        }
    }

    fn hire(name: &str, outcome: Outcome) -> Hire {
        let newcomer = people::newcomer(name, 30, 30);
        Hire {
            name: newcomer.person.name,
            key: newcomer.key,
            leave_days: 30,
            asked: 1,
            outcome,
        }
    }

    fn deed(blow: Blow, withheld: Option<Withheld>) -> Deed {
        Deed {
            service: "employee",
            replica: "employee-1".to_owned(),
            blow,
            withheld,
        }
    }

    fn withheld(calls: u64, reached: u64) -> Deed {
        deed(Blow::Withhold, Some(Withheld { calls, reached }))
    }

    /// Ada was there, Bob was hired as employee 2, Carol was not hired, and all is as it should be.
    fn evidence() -> Evidence {
        let bob = Onboarded {
            employee: employee("Bob", 2),
            leave: balance(2, 30, 0),
        };
        let hires = vec![
            hire("Bob", Outcome::Hired(Box::new(bob))),
            hire("Carol", Outcome::NotHired("no".to_owned())),
        ];
        let mut tally = Tally::default();
        tally.record(Call::Get, Instant::now(), Ok(()));
        Evidence {
            tally,
            ledger: Ledger { hires },
            cast: vec![1.try_into().unwrap()],
            people: vec![employee("Ada", 1), employee("Bob", 2)],
            accounts: vec![Ok(balance(1, 30, 0)), Ok(balance(2, 30, 0))],
            deeds: vec![withheld(1000, 20 + 50), deed(Blow::Kill, None)],
        }
    }

    /// What is broken after something happened, with the first case.
    #[track_caller]
    fn broken(happened: impl FnOnce(&mut Evidence)) -> Vec<(&'static str, String)> {
        let mut evidence = evidence();
        happened(&mut evidence);
        let promises = evidence.promises().into_iter();
        let broken = promises.filter(|promise| !promise.is_kept());
        broken
            .map(|promise| (promise.what, promise.broken[0].clone()))
            .collect()
    }

    #[test]
    fn all_are_kept_when_all_is_well() {
        assert_eq!(broken(|_| {}), []);
    }

    #[test]
    fn only_calls_that_are_not_idempotent_may_fail() {
        let wrong = || Err(Failed::Wrong("nonsense".to_owned()));
        let fail = |call| broken(|it| it.tally.record(call, Instant::now(), wrong()));
        assert_eq!(fail(Call::Onboard), []);
        let [(what, case)] = &*fail(Call::Balance) else {
            panic!("one is broken");
        };
        assert_eq!(*what, "idempotent calls all succeed");
        assert!(
            case.contains("leave/balance") && case.contains("nonsense"),
            "{case}"
        );
    }

    #[test]
    fn people_are_there_once_and_as_they_were_told() {
        let twice = broken(|it| it.people.push(employee("Ada", 1)));
        assert_eq!(twice[0].0, "no hire happens twice");
        let gone = broken(|it| drop(it.people.pop()));
        assert_eq!(gone[0].0, "who is hired is there");
        let moved = broken(|it| it.people[1] = employee("Bob", 3));
        assert!(moved[0].1.contains("Bob is employee 3"), "{moved:?}");
    }

    #[test]
    fn nobody_is_there_who_should_not_be() {
        for name in ["Carol", "Dave"] {
            let there = broken(|it| it.people.push(employee(name, 3)));
            assert_eq!(there[0].0, "who is not hired is not there");
            assert!(there[0].1.contains(name), "{there:?}");
        }
    }

    #[test]
    fn what_nobody_can_say_breaks_a_promise() {
        let lost = || hire("Dave", Outcome::Unknown("lost".to_owned()));
        let open = broken(|it| it.ledger.hires.push(lost()));
        assert_eq!(open[0].0, "each hire is decided in the end");
    }

    #[test]
    fn a_replica_that_is_called_without_its_database_breaks_a_promise() {
        let called = broken(|it| it.deeds.push(withheld(1000, 71)));
        let what = "a replica without its database gets hardly any calls";
        let case = "employee-1 got 71 of 1000 calls".to_owned();
        assert_eq!(called, [(what, case)]);
    }

    #[test]
    fn days_are_as_they_were_granted() {
        for wrong in [
            Ok(balance(2, 60, 0)),
            Ok(balance(2, 30, 1)),
            Err("no account".to_owned()),
        ] {
            let wrong = broken(|it| it.accounts[1] = wrong);
            assert_eq!(wrong[0].0, "leave is granted once, and no day is lost");
        }
    }
}
