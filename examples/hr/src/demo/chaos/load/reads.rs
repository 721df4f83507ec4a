use std::time::Instant;

use fastrand::Rng;

use super::Load;
use crate::{
    demo::chaos::tally::{Call, Failed},
    employee::{EmployeeService as _, Filter},
    leave::LeaveService as _,
};

impl Load<'_> {
    /// Looks things up.
    pub(super) async fn read(&self, mut random: Rng) {
        while self.goes_on(&mut random).await {
            let began = Instant::now();
            let (call, result) = match random.u8(..4) {
                0 => (Call::Get, self.get(&mut random).await),
                1 => (Call::List, self.list(&mut random).await),
                2 => (Call::Count, self.count().await),
                _ => (Call::Balance, self.balance(&mut random).await),
            };
            self.record(call, began, result);
        }
    }

    async fn get(&self, random: &mut Rng) -> Result<(), Failed> {
        let somebody = self.somebody(random);
        let found = self.clients.employees.get(somebody.number).await?;
        expect(found == *somebody, || format!("{found:?}"))
    }

    async fn list(&self, random: &mut Rng) -> Result<(), Failed> {
        let limit = random.u32(1..=10);
        let employees = &self.clients.employees;
        let page = employees.list(Filter::default(), None, limit).await?;
        let listed = page.employees.len();
        expect(listed == limit as usize, || {
            format!("{listed} people on a page of {limit}")
        })
    }

    async fn count(&self) -> Result<(), Failed> {
        let count = self.clients.employees.count(Filter::default()).await?;
        let cast = self.cast.len() as u64;
        expect(count >= cast, || {
            format!("{count} people, and {cast} before")
        })
    }

    async fn balance(&self, random: &mut Rng) -> Result<(), Failed> {
        let somebody = self.somebody(random).number;
        let balance = self.clients.leave.balance(somebody).await?;
        expect(balance.employee == somebody, || balance.to_string())
    }
}

pub(super) fn expect(is_so: bool, instead: impl FnOnce() -> String) -> Result<(), Failed> {
    match is_so {
        true => Ok(()),
        false => Err(Failed::Wrong(instead())),
    }
}
