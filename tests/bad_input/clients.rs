//! Servers that misbehave toward our client.

use bytes::Bytes;
use doge_rpc::{
    Code,
    protocol::{Codec, Fragment, Frame, Message},
};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::Framed;

use crate::{Bench as _, BenchClient, peer::hello};

type Connection = Framed<TcpStream, Codec>;

/// A server that says hello, takes a request, and then does what the test says.
async fn misbehaving<F>(act: impl Fn(Connection, u64) -> F + Send + 'static) -> BenchClient
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut connection = Framed::new(stream, Codec::default());
            connection.next().await;
            connection
                .send(Frame {
                    call: 0,
                    message: Message::Hello(hello()),
                })
                .await
                .unwrap();
            if let Some(Ok(frame)) = connection.next().await {
                act(connection, frame.call).await;
            }
        }
    });
    BenchClient::connect(&address).unwrap()
}

fn answer(call: u64, body: &'static [u8]) -> Frame {
    Frame {
        call,
        message: Message::Response(
            Default::default(),
            Fragment::whole(Bytes::from_static(body)),
        ),
    }
}

#[tokio::test]
async fn answers_to_calls_nobody_made_are_dropped() {
    let client = misbehaving(async |mut connection, call| {
        for stray in [0, 1, call + 1, u64::MAX] {
            connection.send(answer(stray, b"\x63")).await.unwrap();
        }
        connection.send(answer(call, b"\x03")).await.unwrap();
        connection.send(answer(call, b"\x04")).await.unwrap();
        let next = connection.next().await.unwrap().unwrap();
        connection.send(answer(next.call, b"\x05")).await.unwrap();
        connection.next().await;
    });
    let client = client.await;
    assert_eq!(client.add(1, 2).await.unwrap(), 3);
    assert_eq!(
        client.add(2, 3).await.unwrap(),
        5,
        "the second answer to the first call is not the second's"
    );
}

#[tokio::test]
async fn an_answer_of_another_type_is_a_status() {
    for body in [&b"\xa3abc"[..], b"", b"\x03\x03", b"\xdd\xff\xff\xff\xff"] {
        let client = misbehaving(move |mut connection, call| async move {
            connection.send(answer(call, body)).await.unwrap();
            connection.next().await;
        });
        let status = client.await.add(1, 2).await.unwrap_err();
        assert_eq!(status.code(), Code::Internal);
        assert!(
            status
                .message()
                .starts_with("the answer of bench/add cannot be read: "),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_server_that_breaks_the_protocol_ends_its_calls_as_maybe_run() {
    let client = misbehaving(async |mut connection, _| {
        connection
            .send(Frame {
                call: 0,
                message: Message::Window(1),
            })
            .await
            .unwrap();
        connection.next().await;
    });
    let status = client.await.add(1, 2).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(!status.never_ran());
    assert!(status.message().contains("broke the protocol"), "{status}");
}

#[tokio::test]
async fn a_server_that_hangs_up_in_the_middle_of_an_answer_ends_its_calls_as_maybe_run() {
    let client = misbehaving(async |connection, call| {
        let mut half = crate::peer::encode(
            call,
            Message::Response(Default::default(), Fragment::default()),
        );
        half.truncate(9);
        let mut stream = connection.into_inner();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &half)
            .await
            .unwrap();
    });
    let status = client.await.add(1, 2).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(!status.never_ran());
    assert!(
        status.message().contains("closed the connection"),
        "{status}"
    );
}
