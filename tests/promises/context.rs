//! The context of a call is at hand without a parameter, in both directions, and passes on by itself.

use doge_rpc::{
    call::{Criticality, ReplyMetadata},
    prelude::*,
};

#[service(name = "who")]
trait Who {
    async fn asks(&self) -> Result<Vec<String>, Status>;
}

/// Tells what it sees of a call, and asks the next one in the chain for the same.
struct Mirror(Option<WhoClient>);

impl Who for Mirror {
    async fn asks(&self) -> Result<Vec<String>, Status> {
        let context = Context::current().ok_or_else(|| Status::internal("no context"))?;
        let tenant = context
            .metadata()
            .get_str("tenant")
            .unwrap_or("-")
            .to_owned();
        let token = context
            .metadata()
            .get_str("hop-token")
            .unwrap_or("-")
            .to_owned();
        let criticality = format!("{:?}", context.attempt().criticality);
        let peer = context.peer().is_some().to_string();
        context
            .set_reply_metadata("answered-by", tenant.clone())
            .map_err(|e| Status::internal(e.to_string()))?;
        let mut seen = vec![format!("{tenant} {token} {criticality} {peer}")];
        if let Some(next) = &self.0 {
            // A task of its own takes the context along when it is told to.
            let next = next.clone();
            let inner = tokio::spawn(context.scope(async move { next.asks().await }));
            seen.extend(
                inner
                    .await
                    .map_err(|error| Status::internal(error.to_string()))??,
            );
        }
        Ok(seen)
    }
}

#[tokio::test]
async fn metadata_and_criticality_pass_on_and_hop_keys_do_not() {
    let inner = Server::builder()
        .add(WhoServer::new(Mirror(None)))
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let mirror = Mirror(Some(WhoClient::connect(inner.address()).unwrap()));
    let outer = Server::builder()
        .add(WhoServer::new(mirror))
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();

    let reply = ReplyMetadata::new();
    let options = CallOptions::new()
        .metadata("tenant", "acme")
        .unwrap()
        .metadata("hop-token", "secret")
        .unwrap()
        .criticality(Criticality::SheddablePlus)
        .reply_metadata(&reply);
    let client = WhoClient::connect(outer.address()).unwrap().with(options);
    assert_eq!(
        client.asks().await.unwrap(),
        [
            "acme secret SheddablePlus true",
            "acme - SheddablePlus true"
        ]
    );
    assert_eq!(reply.get().get_str("answered-by"), Some("acme"));
    assert!(
        Context::current().is_none(),
        "outside of a handler there is none"
    );
}

#[tokio::test]
async fn metadata_comes_back_with_an_error_and_in_process_too() {
    #[service]
    trait Fails {
        async fn fail(&self) -> Result<(), Status>;
    }

    struct Refuses;

    impl Fails for Refuses {
        async fn fail(&self) -> Result<(), Status> {
            if let Some(context) = Context::current() {
                context
                    .set_reply_metadata("why", "tuesday")
                    .map_err(|e| Status::internal(e.to_string()))?;
            }
            Err(Status::not_found("nothing"))
        }
    }

    let server = Server::builder()
        .add(FailsServer::new(Refuses))
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
    for client in [
        FailsClient::connect(server.address()).unwrap(),
        FailsClient::local(Refuses),
    ] {
        let reply = ReplyMetadata::new();
        let status = client
            .with(CallOptions::new().reply_metadata(&reply))
            .fail()
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(reply.get().get_str("why"), Some("tuesday"));
    }
}
