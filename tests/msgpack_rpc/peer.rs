//! A client that sends whatever bytes it likes.

use std::time::Duration;

use bytes::BytesMut;
use doge_rpc::{
    msgpack_rpc::{Message, Messages, MsgId},
    server::Running,
    wire,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Nothing here takes longer, unless it hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

pub(crate) struct Peer {
    stream: TcpStream,
    read: BytesMut,
    messages: Messages,
}

/// An answer: its id, and the result or the text of the error.
pub(crate) type Answer<T> = (MsgId, Result<T, String>);

impl Peer {
    pub(crate) async fn connect(server: &Running) -> Self {
        let address = server.address().to_string();
        let stream = TcpStream::connect(address.strip_prefix("tcp://").unwrap());
        Self {
            stream: stream.await.unwrap(),
            read: BytesMut::new(),
            messages: Messages::new(1 << 26),
        }
    }

    /// Writes bytes; that the server has hung up meanwhile is no failure of the test.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Writes the same bytes again and again until the server has hung up.
    pub(crate) async fn send_until_closed(&mut self, bytes: &[u8]) {
        let write = async { while self.stream.write_all(bytes).await.is_ok() {} };
        tokio::time::timeout(LIMIT, write).await.expect("in time");
    }

    /// Sends `[0, id, method, params]`.
    pub(crate) async fn request(&mut self, id: u32, method: &str, params: &impl Serialize) {
        self.send(&request(id, method, params)).await;
    }

    /// Sends a request with the id 1, and returns its result or the text of its error.
    pub(crate) async fn call<T: DeserializeOwned>(
        &mut self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<T, String> {
        self.request(1, method, params).await;
        let (id, result) = self.answer().await;
        assert_eq!(id, MsgId::from(1));
        result
    }

    /// The next answer.
    pub(crate) async fn answer<T: DeserializeOwned>(&mut self) -> Answer<T> {
        let message = self.message().await.expect("an answer");
        let Message::Answer { id, error, result } = message else {
            panic!("{message:?}")
        };
        if error[..] == [0xC0] {
            return (id, Ok(wire::decode(&result).unwrap()));
        }
        assert_eq!(result[..], [0xC0]);
        let error: String = wire::decode(&error).expect("errors are texts");
        assert!(!error.is_empty(), "which would pass for success");
        (id, Err(error))
    }

    /// The next message; `None` when the server hangs up.
    pub(crate) async fn message(&mut self) -> Option<Message> {
        let message = async {
            loop {
                if let Some(message) = self.messages.next(&mut self.read).unwrap() {
                    return Some(message);
                }
                if self.stream.read_buf(&mut self.read).await.ok()? == 0 {
                    return None;
                }
            }
        };
        tokio::time::timeout(LIMIT, message).await.expect("in time")
    }

    /// Exactly so many bytes of what the server sends.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        let read = self.stream.read_exact(&mut bytes);
        tokio::time::timeout(LIMIT, read)
            .await
            .expect("in time")
            .unwrap();
        bytes
    }

    /// Says no more, and goes on listening.
    pub(crate) async fn end(&mut self) {
        self.stream.shutdown().await.unwrap();
    }
}

pub(crate) fn request(id: u32, method: &str, params: &impl Serialize) -> Vec<u8> {
    let message = (0, id, method, params);
    wire::encode(&message, doge_rpc::schema::Encoding::Map)
        .unwrap()
        .into()
}
