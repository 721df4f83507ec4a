//! A call runs at most once, unless it provably never ran.

use bytes::Bytes;
use doge_rpc::{
    prelude::*,
    protocol::{Codec, Features, Fields, Fragment, Frame, GoAway, Hello, Message, Reason},
};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
};
use tokio_util::codec::Framed;

use crate::support::{Handlers, Probe, ProbeClient, patient};

#[tokio::test]
async fn a_call_that_may_have_run_is_not_sent_again() {
    let handlers = Handlers::default();
    let server = handlers.server().start("tcp://127.0.0.1:0").await.unwrap();
    let address = server.address().clone();
    let client = ProbeClient::connect(&address).unwrap().with(patient());
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.gated().await }
    });
    handlers.until_running(1).await;

    drop(server);
    let status = call.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(!status.never_ran());

    let _again = handlers.serve_again(&address).await;
    assert_eq!(
        client
            .with(CallOptions::new().wait_for_ready(true))
            .echo(7)
            .await
            .unwrap(),
        7
    );
    assert_eq!(
        handlers.started(),
        2,
        "the gated call and the echo, each once"
    );
}

/// The first connection is left to `first`, the next ones get the answer 7.
async fn served_by<F>(first: impl FnOnce(TcpStream) -> F + Send + 'static) -> Client
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        first(listener.accept().await.unwrap().0).await;
        let mut connection = greeted(listener.accept().await.unwrap().0).await;
        while let Some(Ok(frame)) = connection.next().await {
            let body = Fragment::whole(Bytes::from_static(b"\x07"));
            let message = Message::Response(Default::default(), body);
            connection
                .send(Frame {
                    call: frame.call,
                    message,
                })
                .await
                .unwrap();
        }
    });
    Client::connect(address).unwrap().with(patient())
}

async fn greeted(stream: TcpStream) -> Framed<TcpStream, Codec> {
    let mut connection = Framed::new(stream, Codec::default());
    connection.next().await;
    let hello = Hello {
        min_version: 1,
        max_version: 1,
        features: Features::NONE,
        max_frame: 8 << 20,
        max_calls: 100,
        max_routes: 100,
        fields: Fields::default(),
    };
    connection
        .send(Frame {
            call: 0,
            message: Message::Hello(hello),
        })
        .await
        .unwrap();
    connection
}

#[tokio::test]
async fn a_call_that_go_away_leaves_out_is_sent_again() {
    let client = served_by(async |stream| {
        let mut connection = greeted(stream).await;
        connection.next().await;
        let goaway = GoAway {
            reason: Reason::Drain,
            last_calls: vec![],
            message: "".into(),
        };
        connection
            .send(Frame {
                call: 0,
                message: Message::GoAway(goaway),
            })
            .await
            .unwrap();
    });
    assert_eq!(ProbeClient::new(client.await).echo(1).await.unwrap(), 7);
}

#[tokio::test]
async fn a_call_that_go_away_takes_in_is_not_sent_again() {
    let client = served_by(async |stream| {
        let mut connection = greeted(stream).await;
        let call = connection.next().await.unwrap().unwrap().call;
        let goaway = GoAway {
            reason: Reason::Drain,
            last_calls: vec![call],
            message: "".into(),
        };
        connection
            .send(Frame {
                call: 0,
                message: Message::GoAway(goaway),
            })
            .await
            .unwrap();
    });
    let client = ProbeClient::new(client.await);
    let status = client.echo(1).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(!status.never_ran());
    assert_eq!(client.echo(2).await.unwrap(), 7);
}

#[tokio::test]
async fn a_call_whose_request_did_not_leave_whole_is_sent_again() {
    #[service(name = "probe")]
    trait Large {
        async fn put(&self, data: String) -> Result<u64, Status>;
    }

    let client = served_by(async |stream| {
        let mut stream = greeted(stream).await.into_inner();
        // Part of the request, and then the end: no server can have run it.
        let mut part = vec![0; 100_000];
        stream.read_exact(&mut part).await.unwrap();
    });
    let client = LargeClient::new(client.await);
    assert_eq!(client.put("x".repeat(7_900_000)).await.unwrap(), 7);
}
