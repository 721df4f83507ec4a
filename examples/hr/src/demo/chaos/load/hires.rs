use std::time::{Duration, Instant};

use doge_rpc::Status;
use fastrand::Rng;
use tokio::time::sleep;

use super::{LEAVE_DAYS, Load};
use crate::{
    demo::{
        chaos::{
            ledger::{Hire, Outcome},
            tally::{Call, Failed},
        },
        people,
    },
    onboarding::{Newcomer, OnboardingError, OnboardingService as _},
};

/// Between two times that the same hire is asked for; longer each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Some half a minute of asking.
const MOST_TIMES: u32 = 20;
/// Every so many hires one is refused for its days of leave, once the person is there: it has to be undone.
const REFUSED: u64 = 8;
const TOO_MANY_DAYS: u32 = 90;

impl Load<'_> {
    /// Hires one person after the other.
    pub(super) async fn hire(&self, hirer: u64, mut random: Rng) {
        let mut number = 0;
        while self.goes_on(&mut random).await {
            number += 1;
            let days = match number % REFUSED {
                0 => TOO_MANY_DAYS,
                _ => LEAVE_DAYS,
            };
            let newcomer = people::newcomer(&format!("Newcomer {hirer}-{number}"), 30, days);
            let hire = self.until_known(newcomer).await;
            self.ledger.borrow_mut().hires.push(hire);
        }
    }

    /// Asks with the same key until it is known whether the person is hired, as a client does that gets no answer.
    async fn until_known(&self, newcomer: Newcomer) -> Hire {
        let mut hire = Hire {
            name: newcomer.person.name.clone(),
            key: newcomer.key.clone(),
            leave_days: newcomer.leave_days,
            asked: 0,
            outcome: Outcome::Unknown(String::new()),
        };
        let mut pause = FIRST_PAUSE;
        while hire.asked < MOST_TIMES {
            if hire.asked > 0 {
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            hire.asked += 1;
            hire.outcome = self.onboard(newcomer.clone(), hire.asked).await;
            if !matches!(hire.outcome, Outcome::Unknown(_)) {
                break;
            }
        }
        hire
    }

    async fn onboard(&self, newcomer: Newcomer, asked: u32) -> Outcome {
        let began = Instant::now();
        let (result, outcome) = match self.clients.onboarding.onboard(newcomer).await {
            Ok(onboarded) => (Ok(()), Outcome::Hired(Box::new(onboarded))),
            Err(OnboardingError::Status(status)) => {
                let outcome = outcome_of(&status, asked);
                (Err(Failed::Status(status)), outcome)
            }
            // Said again, it is completed.
            Err(error @ (OnboardingError::NotUndone { .. } | OnboardingError::GoesOn(_))) => {
                let why = error.to_string();
                (Err(error.into()), Outcome::Unknown(why))
            }
            // An answer: the service says that nothing is left.
            Err(error) => (Ok(()), Outcome::NotHired(error.to_string())),
        };
        self.record(Call::Onboard, began, result);
        outcome
    }
}

/// What is known after a failed call. That this one never ran says nothing about those before it.
fn outcome_of(status: &Status, asked: u32) -> Outcome {
    if status.never_ran() && asked == 1 {
        Outcome::NotHired(status.to_string())
    } else {
        Outcome::Unknown(status.to_string())
    }
}
