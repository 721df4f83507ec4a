//! What a layer puts into a request arrives at the handler and at the calls made inside it.

use std::{sync::Arc, time::Duration};

use doge_rpc::{call::ReplyMetadata, prelude::*};
use tokio::sync::Notify;

use crate::{
    common::{patient, soon},
    lives::{Life, Probing, reach},
};

#[service(name = "call.who")]
trait Who {
    /// What the handler sees of its call, and what the handler of a call inside it sees.
    async fn seen(&self) -> Result<Vec<String>, Status>;

    /// Never answers.
    async fn hang(&self) -> Result<(), Status>;

    /// Fails with metadata, set in both ways.
    async fn fail(&self) -> Result<(), Status>;
}

#[derive(Clone, Debug)]
struct User(&'static str);

#[derive(Default)]
struct Teller {
    next: Option<WhoClient>,
    stopped: Arc<Notify>,
}

struct Stops(Arc<Notify>);

impl Drop for Stops {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Who for Teller {
    async fn seen(&self) -> Result<Vec<String>, Status> {
        let context = Context::current().ok_or_else(|| Status::internal("no context"))?;
        let metadata = context.metadata().get_str("user").unwrap_or("-");
        let extension = context
            .extensions()
            .get::<User>()
            .map_or("-", |user| user.0);
        let hurried = context.remaining() <= Duration::from_secs(5);
        let mut seen = vec![format!("{metadata} {extension} {hurried}")];
        if let Some(next) = &self.next {
            seen.extend(next.seen().await?);
        }
        Ok(seen)
    }

    async fn hang(&self) -> Result<(), Status> {
        let _stops = Stops(Arc::clone(&self.stopped));
        std::future::pending().await
    }

    async fn fail(&self) -> Result<(), Status> {
        let context = Context::current().ok_or_else(|| Status::internal("no context"))?;
        let set = context.set_reply_metadata("by-context", "1");
        set.map_err(|error| Status::internal(error.to_string()))?;
        let mut metadata = Metadata::new();
        let insert = metadata.insert("by-status", "2");
        insert.map_err(|error| Status::internal(error.to_string()))?;
        Err(Status::not_found("nothing").with_metadata(metadata))
    }
}

#[tokio::test]
async fn metadata_extensions_and_a_nearer_deadline_arrive() {
    let layer = Probing::new(|mut request| {
        request.metadata_mut().insert("user", "ada").unwrap();
        request.extensions_mut().insert(User("ada"));
        request.shorten_deadline(Deadline::after(Duration::from_secs(5)));
        Ok(request)
    });
    for life in Life::ALL {
        let teller = Teller {
            next: Some(WhoClient::local(Teller::default())),
            ..Teller::default()
        };
        let reached = reach(life, WhoServer::new(teller), layer.clone()).await;
        let client = WhoClient::new(reached.client.with(patient()));
        let seen = soon(client.seen()).await.unwrap();
        assert_eq!(seen, ["ada ada true", "ada ada true"], "{life:?}");
    }
}

#[tokio::test]
async fn a_deadline_that_a_layer_shortens_stops_the_handler_inside_the_layer() {
    for life in Life::ALL {
        let layer = Probing::new(|mut request| {
            request.shorten_deadline(Deadline::after(Duration::from_millis(50)));
            Ok(request)
        });
        let teller = Teller::default();
        let stopped = Arc::clone(&teller.stopped);
        let reached = reach(life, WhoServer::new(teller), layer.clone()).await;
        let client = WhoClient::new(reached.client.with(patient()));
        let status = soon(client.hang()).await.unwrap_err();
        // MessagePack-RPC has no codes.
        if life != Life::Doge {
            assert_eq!(status.code(), Code::DeadlineExceeded, "{life:?}");
        }
        let text = "call.who/hang was stopped: the deadline passed";
        assert!(status.message().contains(text), "{life:?}: {status}");
        soon(stopped.notified()).await;
        let seen = layer.end().await.unwrap_err();
        assert_eq!(seen.code(), Code::DeadlineExceeded, "{life:?}");
    }
}

#[tokio::test]
async fn a_later_deadline_changes_nothing() {
    let layer = Probing::new(|mut request| {
        request.shorten_deadline(Deadline::after(Duration::from_secs(3600)));
        Ok(request)
    });
    for life in Life::ALL {
        let reached = reach(life, WhoServer::new(Teller::default()), layer.clone()).await;
        let hasty = CallOptions::new().timeout(Duration::from_secs(4));
        let client = WhoClient::new(reached.client.with(hasty));
        assert_eq!(client.seen().await.unwrap(), ["- - true"], "{life:?}");
    }
}

#[tokio::test]
async fn metadata_of_a_status_arrives_whichever_way_it_was_set() {
    for life in Life::NATIVE {
        let layer = Probing::nothing();
        let reached = reach(life, WhoServer::new(Teller::default()), layer.clone()).await;
        let reply = ReplyMetadata::new();
        let options = patient().reply_metadata(&reply);
        let client = WhoClient::new(reached.client.with(options));
        let status = client.fail().await.unwrap_err();
        let seen = layer.end().await.unwrap_err();
        for metadata in [status.metadata(), &reply.get(), seen.metadata()] {
            assert_eq!(metadata.get_str("by-context"), Some("1"), "{life:?}");
            assert_eq!(metadata.get_str("by-status"), Some("2"), "{life:?}");
        }
    }
}
