//! The callers: each does one thing after the other until it is told that it is enough.

mod hires;
mod leave;
mod reads;

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use fastrand::Rng;
use futures_util::{
    StreamExt as _,
    future::{LocalBoxFuture, join_all, try_join_all},
    stream,
};

use super::{
    ChaosError, Evidence,
    ledger::Ledger,
    system::Clients,
    tally::{Call, Failed, Tally},
};
use crate::{
    demo::people,
    employee::{Employee, EmployeeError, EmployeeService as _, Filter},
    leave::LeaveService as _,
    onboarding::OnboardingService as _,
};

/// Callers of each kind.
const READERS: u64 = 4;
const LEAVE_TAKERS: u64 = 2;
const HIRERS: u64 = 3;
/// People who are there before anything happens, for the calls that need somebody.
const CAST: usize = 12;
const LEAVE_DAYS: u32 = 30;
/// Between two calls of a caller, at most.
const PAUSE: Duration = Duration::from_millis(8);

/// Accounts that are looked at together.
const AT_ONCE: usize = 16;

pub(super) struct Load<'a> {
    clients: &'a Clients,
    seed: u64,
    cast: Vec<Employee>,
    tally: RefCell<Tally>,
    ledger: RefCell<Ledger>,
    over: Cell<bool>,
}

impl<'a> Load<'a> {
    /// Hires the cast, before anything happens.
    pub(super) async fn begin(clients: &'a Clients, seed: u64) -> Result<Self, ChaosError> {
        let unprepared = |why: String| ChaosError::Unprepared(why);
        let before = clients.employees.count(Filter::default()).await;
        match before.map_err(|error| unprepared(error.to_string()))? {
            0 => {}
            people => return Err(ChaosError::Inhabited(people)),
        }
        let hires = (1..=CAST).map(async |number| {
            let somebody = people::newcomer(&format!("Cast {number}"), 40, LEAVE_DAYS);
            clients.onboarding.onboard(somebody).await
        });
        let cast = try_join_all(hires).await;
        let cast = cast.map_err(|error| unprepared(error.to_string()))?;
        Ok(Self {
            clients,
            seed,
            cast: cast
                .into_iter()
                .map(|onboarded| onboarded.employee)
                .collect(),
            tally: RefCell::default(),
            ledger: RefCell::default(),
            over: Cell::new(false),
        })
    }

    /// Calls, until it is over and each caller has finished what it was about.
    pub(super) async fn run(&self) {
        let mut callers = Vec::<LocalBoxFuture<'_, ()>>::new();
        let mut random = Rng::with_seed(self.seed);
        for _ in 0..READERS {
            callers.push(Box::pin(self.read(random.fork())));
        }
        for _ in 0..LEAVE_TAKERS {
            callers.push(Box::pin(self.take_leave(random.fork())));
        }
        for hirer in 1..=HIRERS {
            callers.push(Box::pin(self.hire(hirer, random.fork())));
        }
        join_all(callers).await;
    }

    /// Lets the callers finish.
    pub(super) fn end(&self) {
        self.over.set(true);
    }

    /// What was seen, and what is there now.
    pub(super) async fn evidence(&self) -> Result<Evidence, ChaosError> {
        let unreadable = |why: String| ChaosError::Unreadable(why);
        let people = self.everybody().await;
        let people = people.map_err(|error| unreadable(error.to_string()))?;
        let balances = people.iter().map(|employee| async {
            let balance = self.clients.leave.balance(employee.number).await;
            balance.map_err(|error| format!("employee {}: {error}", employee.number))
        });
        let accounts = stream::iter(balances).buffered(AT_ONCE).collect().await;
        Ok(Evidence {
            tally: self.tally.borrow().clone(),
            ledger: self.ledger.borrow().clone(),
            cast: self.cast.iter().map(|member| member.number).collect(),
            people,
            accounts,
            deeds: Vec::new(),
        })
    }

    async fn everybody(&self) -> Result<Vec<Employee>, EmployeeError> {
        let (mut people, mut after) = (Vec::new(), None);
        loop {
            let page = self.clients.employees.list(Filter::default(), after, 500);
            let page = page.await?;
            people.extend(page.employees);
            after = page.next;
            if after.is_none() {
                return Ok(people);
            }
        }
    }

    /// Whether a caller begins something else; after a pause.
    async fn goes_on(&self, random: &mut Rng) -> bool {
        tokio::time::sleep(PAUSE.mul_f64(random.f64())).await;
        !self.over.get()
    }

    fn somebody(&self, random: &mut Rng) -> &Employee {
        &self.cast[random.usize(..self.cast.len())]
    }

    fn record(&self, call: Call, began: Instant, result: Result<(), Failed>) {
        self.tally.borrow_mut().record(call, began, result);
    }
}
