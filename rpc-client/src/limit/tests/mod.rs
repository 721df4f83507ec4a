mod bursts;
mod queueing;
mod slots;
mod validation;

use std::{sync::Arc, time::Duration};

use doge_rpc_core::{Code, Deadline, Status};
use tokio::{
    task::{JoinHandle, yield_now},
    time::Instant,
};

use super::{CallLimits, Limiter, Wait};

const MILLI: Duration = Duration::from_millis(1);

fn limiter(limits: CallLimits) -> Arc<Limiter> {
    Arc::new(Limiter::new(&limits, "hr.employee/get").unwrap())
}

/// Up to so many callers, for a minute at most.
fn wait(callers: usize) -> Wait {
    Wait::UpTo {
        callers,
        time: Duration::from_secs(60),
    }
}

/// Longer than any wait.
fn patient() -> Deadline {
    Deadline::after(Duration::from_secs(3600))
}

/// Whether a call passes now.
async fn passes(limiter: &Limiter) -> bool {
    limiter.acquire(patient()).await.is_ok()
}

/// How many of so many calls pass now, if each ends at once.
async fn passed(limiter: &Limiter, calls: usize) -> usize {
    let mut passed = 0;
    for _ in 0..calls {
        passed += usize::from(passes(limiter).await);
    }
    passed
}

/// A call that keeps its permit for so long; tells when it got it.
fn call(limiter: &Arc<Limiter>, lasts: Duration) -> JoinHandle<Result<Instant, Status>> {
    let limiter = Arc::clone(limiter);
    tokio::spawn(async move {
        let _permit = limiter.acquire(patient()).await?;
        let started = Instant::now();
        tokio::time::sleep(lasts).await;
        Ok(started)
    })
}

/// Lets calls that were made get as far as they can without time passing.
async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

fn refusal(refused: Result<super::Permit<'_>, Status>) -> Status {
    let status = refused.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.never_ran());
    status
}
