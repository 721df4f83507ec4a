use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A gateway before etcd, which passes all requests on, and watches as it is told to.
pub(crate) struct Gateway {
    address: String,
    watches: Arc<watch::Sender<Watches>>,
}

/// What becomes of those who watch. All connections break when it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watches {
    Pass,
    Refuse,
    /// They are never answered.
    Hang,
}

impl Gateway {
    pub(crate) async fn to(etcd: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let watches = Arc::new(watch::Sender::new(Watches::Pass));
        let (etcd, changes) = (etcd.to_owned(), Arc::clone(&watches));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (etcd, mut change) = (etcd.clone(), changes.subscribe());
                let watches = *change.borrow_and_update();
                tokio::spawn(async move {
                    tokio::select! {
                        () = serve(client, &etcd, watches) => {}
                        _ = change.changed() => {}
                    }
                });
            }
        });
        Self { address, watches }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn set(&self, watches: Watches) {
        self.watches.send_replace(watches);
    }
}

async fn serve(client: TcpStream, etcd: &str, watches: Watches) {
    let Ok(server) = TcpStream::connect(etcd).await else {
        return;
    };
    let made = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(server));
    let Ok((sender, connection)) = made.await else {
        return;
    };
    let service = service_fn(move |request: Request<Incoming>| {
        let mut sender = sender.clone();
        async move {
            if request.uri().path().ends_with("/Watch") {
                match watches {
                    Watches::Pass => {}
                    Watches::Refuse => return Ok(unavailable()),
                    Watches::Hang => std::future::pending().await,
                }
            }
            let answer = sender.send_request(request).await;
            Ok::<_, Infallible>(answer.map_or_else(
                |_| unavailable(),
                |answer| answer.map(http_body_util::Either::Left),
            ))
        }
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let (served, forwarded) = (
        server.serve_connection(TokioIo::new(client), service),
        connection,
    );
    // Either end may break.
    let _ = futures_util::future::select(std::pin::pin!(served), std::pin::pin!(forwarded)).await;
}

type Body = http_body_util::Either<Incoming, http_body_util::Empty<Bytes>>;

fn unavailable() -> Response<Body> {
    let answer = Response::builder()
        .header("content-type", "application/grpc")
        .header("grpc-status", "14")
        .header("grpc-message", "no watches here");
    answer
        .body(http_body_util::Either::Right(http_body_util::Empty::new()))
        .unwrap()
}
