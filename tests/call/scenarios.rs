//! A table of calls, each of which is made in every life. The caller, the handlers and the server layers see of a call what
//! they see of it over TCP, but for addresses and times, and but for the differences that a row of the table names.

mod actor;
mod scenario;
mod seen;
mod table;

use std::sync::Arc;

use doge_rpc::{ReplyMetadata, Request, prelude::*};
use tokio::sync::Notify;

use self::{
    actor::{ActorClient, ActorServer, Handlers},
    scenario::Scenario,
    seen::{End, Noted, Notes, Place, Seen, StatusParts, UNREAD, entries},
    table::scenarios,
};
use crate::{
    common::{LIMIT, patient, soon, until},
    lives::{Life, Probing, reach},
};

/// Makes the call in this life until all is seen that is to be seen.
async fn run(life: Life, scenario: &Scenario) {
    let (notes, hangs) = (Notes::default(), Arc::new(Notify::new()));
    let layer = |place: Place, change: fn(&mut Request) -> Result<(), Status>| {
        let notes = notes.clone();
        Probing::new(move |mut request| {
            notes.layer(place, &request);
            change(&mut request).map(|()| request)
        })
    };
    let actor = |place, next| {
        let (notes, hangs) = (notes.clone(), Arc::clone(&hangs));
        ActorServer::new(Handlers {
            place,
            next,
            notes,
            hangs,
        })
    };
    let second_layer = layer(Place::Second, |_| Ok(()));
    let second = reach(life, actor(Place::Second, None), second_layer.clone()).await;
    let next = ActorClient::new(second.client.with(patient()));
    let first_layer = layer(Place::First, scenario.layer);
    let first = reach(life, actor(Place::First, Some(next)), first_layer.clone()).await;

    let reply = ReplyMetadata::new();
    let options = (scenario.options)(patient().reply_metadata(&reply));
    let call = scenario.call.clone().make(first.client.with(options));
    let call = tokio::spawn(call);
    let caller = if scenario.is_dropped {
        soon(hangs.notified()).await;
        call.abort();
        End::Dropped
    } else {
        soon(call).await.unwrap()
    };

    let now = || {
        let Noted {
            mut layers,
            handlers,
        } = notes.noted();
        for (place, layer) in [(Place::First, &first_layer), (Place::Second, &second_layer)] {
            let ends = layer.ends();
            assert!(ends.len() <= 1, "{ends:?}");
            if let Some(end) = ends.first() {
                layers.get_mut(&place).unwrap().end = match end {
                    Ok(false) => End::Value(UNREAD),
                    Ok(true) => End::Error(UNREAD),
                    Err(status) => End::Status(StatusParts::from(status)),
                };
            }
        }
        let mut seen = Seen {
            caller: caller.clone(),
            reply: entries(&reply.get()),
            layers,
            handlers,
        };
        if scenario.is_late {
            seen.settle_deadlines();
        }
        seen
    };
    let expected = scenario.seen_in(life);
    // Servers hear of what becomes of a call after its caller. What is missing is shown below.
    let _ = tokio::time::timeout(LIMIT / 2, until(|| now() == expected)).await;
    assert_eq!(now(), expected, "{life:?}: {}", scenario.name);
}

async fn run_all(life: Life) {
    for scenario in scenarios() {
        run(life, &scenario).await;
    }
}

#[tokio::test]
async fn over_tcp() {
    run_all(Life::Tcp).await;
}

#[tokio::test]
async fn over_a_unix_socket() {
    run_all(Life::Unix).await;
}

#[tokio::test]
async fn in_memory() {
    run_all(Life::Memory).await;
}

#[tokio::test]
async fn over_a_transport_that_buffers() {
    run_all(Life::Buffered).await;
}

#[tokio::test]
async fn over_sockets_that_somebody_else_opened() {
    run_all(Life::Given).await;
}

#[tokio::test]
async fn over_a_simulated_network() {
    run_all(Life::Simulated).await;
}

#[tokio::test]
async fn within_the_process() {
    run_all(Life::Local).await;
}

#[tokio::test]
async fn over_messagepack_rpc() {
    run_all(Life::Doge).await;
}
