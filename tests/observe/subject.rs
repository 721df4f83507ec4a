use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use doge_rpc::{Code, prelude::*, server::Builder};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::watch;
use tower::limit::ConcurrencyLimitLayer;

use crate::{common::soon, recorder::Recorder};

/// A service whose calls end in every way. With `wait`, they do so from a task of their own.
#[service(name = "subject")]
pub(crate) trait Subject {
    async fn answer(&self, wait: bool) -> Result<u64, Status>;

    async fn argue(&self, wait: bool) -> Result<u64, Trouble>;

    async fn fail(&self, wait: bool, code: u8) -> Result<u64, Status>;

    async fn panic(&self, wait: bool) -> Result<u64, Status>;

    /// Never answers.
    async fn hang(&self) -> Result<u64, Status>;

    /// Answers with so many bytes.
    async fn large(&self, wait: bool, bytes: usize) -> Result<String, Status>;

    /// Says something in the log, before and after it has waited.
    async fn talk(&self, wait: bool) -> Result<(), Status>;
}

/// An error of the application.
#[derive(Debug, PartialEq, Error, Serialize, Deserialize)]
pub(crate) enum Trouble {
    #[error("no")]
    No,
    #[error(transparent)]
    Status(#[from] Status),
}

/// The handlers, and what they note by themselves.
#[derive(Clone, Default)]
pub(crate) struct Handlers(Arc<Shared>);

#[derive(Default)]
struct Shared {
    noted: Mutex<Noted>,
    running: watch::Sender<usize>,
}

/// What handlers noted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted {
    pub(crate) started: u64,
    /// Calls that the handler answered, by code.
    pub(crate) answered: BTreeMap<Code, u64>,
    /// Handlers that were dropped before their answer.
    pub(crate) dropped: u64,
}

impl Handlers {
    /// A server of these handlers, observed.
    pub(crate) fn server(&self, recorder: &Recorder) -> Builder {
        Server::builder()
            .add(SubjectServer::new(self.clone()))
            .observer(recorder.clone())
    }

    pub(crate) fn noted(&self) -> Noted {
        self.0.noted.lock().unwrap().clone()
    }

    /// Waits until so many handlers run.
    pub(crate) async fn until_running(&self, count: usize) {
        let mut running = self.0.running.subscribe();
        soon(running.wait_for(|it| *it == count)).await.unwrap();
    }

    async fn run<T>(&self, wait: bool, code: Code, answer: impl FnOnce() -> T) -> T {
        let mut run = Run::new(&self.0);
        if wait {
            tokio::task::yield_now().await;
        }
        run.answers = Some(code);
        answer()
    }
}

/// With layers around the service: room for this many calls in them.
pub(crate) fn layered(server: Builder, room: usize) -> Builder {
    server.layer(ConcurrencyLimitLayer::new(room))
}

impl Subject for Handlers {
    async fn answer(&self, wait: bool) -> Result<u64, Status> {
        self.run(wait, Code::Ok, || Ok(7)).await
    }

    async fn argue(&self, wait: bool) -> Result<u64, Trouble> {
        self.run(wait, Code::Ok, || Err(Trouble::No)).await
    }

    async fn fail(&self, wait: bool, code: u8) -> Result<u64, Status> {
        let code = Code::from_u8(code);
        self.run(wait, code, || Err(Status::new(code, "asked to")))
            .await
    }

    async fn panic(&self, wait: bool) -> Result<u64, Status> {
        // Without the hook, which would write a line for each of thousands.
        let panic = || std::panic::resume_unwind(Box::new("asked to"));
        self.run(wait, Code::Internal, panic).await
    }

    async fn hang(&self) -> Result<u64, Status> {
        let _run = Run::new(&self.0);
        std::future::pending().await
    }

    async fn large(&self, wait: bool, bytes: usize) -> Result<String, Status> {
        self.run(wait, Code::Ok, || Ok("x".repeat(bytes))).await
    }

    async fn talk(&self, wait: bool) -> Result<(), Status> {
        tracing::info!("before");
        if wait {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tracing::info!("after");
        Ok(())
    }
}

/// A handler that runs; stopping it drops this.
struct Run<'a> {
    shared: &'a Shared,
    answers: Option<Code>,
}

impl<'a> Run<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.running.send_modify(|running| *running += 1);
        shared.noted.lock().unwrap().started += 1;
        Self {
            shared,
            answers: None,
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.shared.running.send_modify(|running| *running -= 1);
        let mut noted = self.shared.noted.lock().unwrap();
        match self.answers {
            Some(code) => *noted.answered.entry(code).or_default() += 1,
            None => noted.dropped += 1,
        }
    }
}
