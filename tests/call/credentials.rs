//! Credentials stay on their hop, unless they are forwarded on purpose.

use doge_rpc::{CREDENTIAL_KEYS, HOP_PREFIX, prelude::*, server::Running};

use crate::common::patient;

#[service(name = "call.token")]
trait Token {
    /// What came with the call in this key, here and at the next service.
    async fn tokens(&self, key: String, forward: bool) -> Result<Vec<String>, Status>;
}

struct Reader(Option<TokenClient>);

impl Token for Reader {
    async fn tokens(&self, key: String, forward: bool) -> Result<Vec<String>, Status> {
        let context = Context::current().ok_or_else(|| Status::internal("no context"))?;
        let mut tokens = vec![context.metadata().get_str(&key).unwrap_or("-").to_owned()];
        if let Some(next) = &self.0 {
            let next = next.with(CallOptions::new().forward_credentials(forward));
            tokens.extend(next.tokens(key, forward).await?);
        }
        Ok(tokens)
    }
}

/// Two services in a row, each reached over this scheme.
async fn chain(scheme: &str) -> (TokenClient, [Running; 2]) {
    let start = async |reader| {
        let server = Server::builder().add(TokenServer::new(reader));
        let server = server.start("tcp://127.0.0.1:0").await.unwrap();
        let address = server.address().to_string().replace("tcp", scheme);
        (TokenClient::connect(&*address).unwrap(), server)
    };
    let (next, second) = start(Reader(None)).await;
    let (client, first) = start(Reader(Some(next))).await;
    (client, [first, second])
}

#[tokio::test]
async fn a_token_arrives_at_the_service_that_is_called_and_at_no_other() {
    let hop = format!("{HOP_PREFIX}secret");
    for scheme in ["tcp", "doge"] {
        let (client, _servers) = chain(scheme).await;
        for key in CREDENTIAL_KEYS.into_iter().chain([&*hop]) {
            let client = client.with(patient().metadata(key, "secret").unwrap());
            let tokens = client.tokens(key.to_owned(), false).await.unwrap();
            assert_eq!(tokens, ["secret", "-"], "{scheme} {key}");
        }
        let client = client.with(patient().credentials("Bearer ada").unwrap());
        let forwarded = client.tokens("authorization".into(), true).await.unwrap();
        assert_eq!(forwarded, ["Bearer ada", "Bearer ada"], "{scheme}");
    }
}

#[tokio::test]
async fn what_goes_on_by_itself_still_does() {
    let (client, _servers) = chain("tcp").await;
    let client = client.with(patient().metadata("traceparent", "00-1-2-01").unwrap());
    let traces = client.tokens("traceparent".into(), false).await.unwrap();
    assert_eq!(traces, ["00-1-2-01", "00-1-2-01"]);
}

#[test]
fn debug_shows_no_credentials() {
    let options = CallOptions::new().credentials("Bearer s3cret").unwrap();
    let shown = format!("{options:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(shown.contains("authorization"), "{shown}");
}
