//! A peer that sends whatever it likes.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use doge_rpc::{
    Status,
    protocol::{
        Attempt, Codec, Features, Fields, Fragment, Frame, Hello, Message, Names, RequestHead,
        RouteRef,
    },
    server::Running,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Nothing here takes longer, unless it hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

pub(crate) struct Peer {
    stream: TcpStream,
    read: BytesMut,
}

impl Peer {
    /// Connects and says nothing.
    pub(crate) async fn connect(server: &Running) -> Self {
        let address = server.address().to_string();
        let stream = TcpStream::connect(address.strip_prefix("tcp://").unwrap())
            .await
            .unwrap();
        Self {
            stream,
            read: BytesMut::new(),
        }
    }

    /// Connects and says hello.
    pub(crate) async fn greeted(server: &Running) -> Self {
        let mut peer = Self::connect(server).await;
        peer.send(0, Message::Hello(hello())).await;
        let frame = peer.frame().await.expect("the server's hello");
        assert!(matches!(frame.message, Message::Hello(_)), "{frame:?}");
        peer
    }

    pub(crate) async fn send(&mut self, call: u64, message: Message) {
        self.send_bytes(&encode(call, message)).await;
    }

    /// Writes bytes; that the server has hung up meanwhile is no failure of the test.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Whether the server has hung up by now, of whose words this peer reads none.
    pub(crate) fn has_hung_up(&mut self) -> bool {
        let mut read = [0; 64];
        loop {
            match self.stream.try_read(&mut read) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
            }
        }
    }

    /// Writes until the server has hung up.
    pub(crate) async fn send_until_closed(&mut self, frames: impl Iterator<Item = Bytes>) {
        let write = async {
            for frame in frames {
                if self.stream.write_all(&frame).await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(LIMIT, write)
            .await
            .expect("the server hangs up");
    }

    /// Calls a method with arguments as they are.
    pub(crate) async fn call(&mut self, call: u64, service: &str, method: &str, body: &[u8]) {
        self.send(call, request(service, method, body)).await;
    }

    /// The next frame; `None` once the server has hung up.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        let read = async {
            loop {
                if let Some(frame) = Codec::default().next(&mut self.read).unwrap() {
                    return Some(frame);
                }
                match self.stream.read_buf(&mut self.read).await {
                    Ok(0) | Err(_) => return None,
                    Ok(_) => {}
                }
            }
        };
        tokio::time::timeout(LIMIT, read)
            .await
            .expect("the server answers or hangs up")
    }

    /// The status that the next frame brings for this call.
    pub(crate) async fn status(&mut self, call: u64) -> Status {
        let frame = self.frame().await.expect("an answer");
        assert_eq!(frame.call, call);
        match frame.message {
            Message::Error(outcome) => outcome.into_status(),
            other => panic!("no status: {other:?}"),
        }
    }

    /// Ends our direction, and waits for the server to end its own.
    pub(crate) async fn hang_up(&mut self) -> String {
        self.stream.shutdown().await.unwrap();
        self.last_words().await
    }

    /// Waits until the server has hung up; returns what it says in go-away before it does.
    pub(crate) async fn last_words(&mut self) -> String {
        let mut words = String::new();
        while let Some(frame) = self.frame().await {
            if let Message::GoAway(goaway) = frame.message {
                words = goaway.message.into();
            }
        }
        words
    }
}

pub(crate) fn hello() -> Hello {
    Hello {
        min_version: 1,
        max_version: 1,
        features: Features::NONE,
        max_frame: 8 << 20,
        max_calls: 4096,
        max_routes: 4096,
        fields: Fields::default(),
    }
}

pub(crate) fn request(service: &str, method: &str, body: &[u8]) -> Message {
    let names = Names {
        service: service.into(),
        method: method.into(),
    };
    Message::Request(
        head(RouteRef::Named(0, names)),
        Fragment::whole(Bytes::copy_from_slice(body)),
    )
}

pub(crate) fn head(route: RouteRef) -> RequestHead {
    RequestHead {
        route,
        timeout: 5_000,
        attempt: Attempt::default(),
        one_way: false,
        stream: false,
        fields: Fields::default(),
    }
}

pub(crate) fn encode(call: u64, message: Message) -> Bytes {
    let mut bytes = BytesMut::new();
    Frame { call, message }
        .encode(&mut bytes, u32::MAX)
        .unwrap();
    bytes.freeze()
}
