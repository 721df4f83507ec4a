//! The service that the calls of the table are made to.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use doge_rpc::{
    call::{CancelReason, Cancellation},
    prelude::*,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::Notify;

use super::seen::{HandlerEnd, HandlerSaw, Notes, Place, Where, entries};
use crate::common::LIMIT;

#[service(name = "call.actor")]
pub(super) trait Actor {
    async fn act(&self, act: Act) -> Result<String, Trouble>;

    /// The same, with a bare status as the error.
    async fn bare(&self, act: Act) -> Result<String, Status>;

    async fn echo(&self, body: Bytes) -> Result<Bytes, Status>;

    /// A list of so many values.
    async fn list(&self, length: usize) -> Result<Vec<()>, Status>;

    async fn count(&self, list: Vec<()>) -> Result<usize, Status>;
}

/// What a handler does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Act {
    Answer,
    /// Sets metadata of the answer, and then acts.
    Reply(Box<Self>),
    Tire,
    Refuse,
    /// Fails with a status that has everything.
    Fail,
    /// The same, and says of the status, which the handler received from nobody, that it is to be forwarded.
    FailForward,
    /// Fails with the code that is no error.
    FailWithOk,
    PanicAtOnce,
    PanicLater,
    Hang,
    /// Calls the second actor, and hands on what comes back.
    Nest(Box<Self>),
    /// The same, with all that the status of the second actor has.
    Forward(Box<Self>),
}

#[derive(Debug, PartialEq, Error, Serialize, Deserialize)]
pub(super) enum Trouble {
    #[error("Tired")]
    Tired,
    #[error("no, {0} times")]
    No(u32),
    #[error(transparent)]
    Status(#[from] Status),
}

/// What a layer attaches.
#[derive(Clone, Debug)]
pub(super) struct User(pub(super) &'static str);

/// One of two services in a row.
pub(super) struct Handlers {
    pub(super) place: Place,
    pub(super) next: Option<ActorClient>,
    pub(super) notes: Notes,
    /// A handler hangs.
    pub(super) hangs: Arc<Notify>,
}

/// A handler that runs. When it is dropped, it is written down.
pub(super) struct RunningHandler<'a> {
    pub(super) handlers: &'a Handlers,
    pub(super) saw: HandlerSaw,
}

impl Drop for RunningHandler<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.saw.end = HandlerEnd::Panicked;
        } else if self.saw.end != HandlerEnd::Returned {
            self.saw.end = HandlerEnd::stopped(&Cancellation::current());
        }
        let place = self.handlers.place;
        self.handlers.notes.handler(place, self.saw.clone());
    }
}

impl Handlers {
    pub(super) fn begin(&self) -> RunningHandler<'_> {
        let context = Context::current().unwrap();
        let saw = HandlerSaw {
            method: context.route().method().to_owned(),
            metadata: entries(context.metadata()),
            peer: context.peer().map(Where::of),
            criticality: context.attempt().criticality,
            user: context.extensions().get::<User>().map(|user| user.0),
            is_hurried: context.remaining() <= LIMIT / 2,
            end: HandlerEnd::stopped(&Cancellation::bare(CancelReason::CallerGone)),
        };
        RunningHandler {
            handlers: self,
            saw,
        }
    }

    pub(super) async fn run(&self, act: Act) -> Result<String, Trouble> {
        let mut running = self.begin();
        let answer = self.answer(act).await;
        running.saw.end = HandlerEnd::Returned;
        answer
    }

    pub(super) async fn answer(&self, mut act: Act) -> Result<String, Trouble> {
        while let Act::Reply(then) = act {
            let context = Context::current().unwrap();
            context.set_reply_metadata("served-by", "first").unwrap();
            act = *then;
        }
        match act {
            Act::Answer | Act::Reply(_) => Ok("done".to_owned()),
            Act::Tire => Err(Trouble::Tired),
            Act::Refuse => Err(Trouble::No(3)),
            Act::Fail => Err(full().into()),
            Act::FailForward => Err(full().forward().into()),
            Act::FailWithOk => Err(Status::new(Code::Ok, "fine").into()),
            Act::PanicAtOnce => panic_silently(),
            Act::PanicLater => {
                tokio::task::yield_now().await;
                panic_silently()
            }
            Act::Hang => {
                self.hangs.notify_one();
                std::future::pending().await
            }
            Act::Nest(act) => Ok(self.next.as_ref().unwrap().bare(*act).await?),
            Act::Forward(act) => {
                let answer = self.next.as_ref().unwrap().bare(*act).await;
                Ok(answer.map_err(Status::forward)?)
            }
        }
    }
}

/// Panics without the hook, which would print.
pub(super) fn panic_silently() -> ! {
    std::panic::resume_unwind(Box::new("asked to"))
}

/// A status that has everything.
pub(super) fn full() -> Status {
    let mut metadata = Metadata::new();
    metadata.insert("db-token", "secret").unwrap();
    Status::unavailable("the database is away")
        .with_metadata(metadata)
        .with_details(&b"\x07"[..])
        .with_pushback(Duration::from_secs(60))
}

impl Actor for Handlers {
    async fn act(&self, act: Act) -> Result<String, Trouble> {
        self.run(act).await
    }

    async fn bare(&self, act: Act) -> Result<String, Status> {
        self.run(act).await.map_err(|trouble| match trouble {
            Trouble::Status(status) => status,
            other => Status::internal(other.to_string()),
        })
    }

    async fn echo(&self, body: Bytes) -> Result<Bytes, Status> {
        self.begin().saw.end = HandlerEnd::Returned;
        Ok(body)
    }

    async fn list(&self, length: usize) -> Result<Vec<()>, Status> {
        self.begin().saw.end = HandlerEnd::Returned;
        Ok(vec![(); length])
    }

    async fn count(&self, list: Vec<()>) -> Result<usize, Status> {
        self.begin().saw.end = HandlerEnd::Returned;
        Ok(list.len())
    }
}
