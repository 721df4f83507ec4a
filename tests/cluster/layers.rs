//! A layer around a call sees it once, a layer around attempts sees each of them.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context as TaskContext, Poll},
};

use doge_rpc::{
    CallOptions, Code, Request, Response, Status,
    client::{Failover, Strategy},
};
use tower::{BoxError, Layer, Service};

use crate::common::{Act, Fleet, Probe, soon};

/// Writes down the number of each attempt that it sees, and what comes of it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Entry>>>);

type Entry = (u8, Option<Code>);

impl Log {
    fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap().clone()
    }
}

impl<S> Layer<S> for Log {
    type Service = Logged<S>;

    fn layer(&self, inner: S) -> Logged<S> {
        Logged {
            inner,
            log: self.clone(),
        }
    }
}

#[derive(Clone)]
struct Logged<S> {
    inner: S,
    log: Log,
}

impl<S> Service<Request> for Logged<S>
where
    S: Service<Request, Response = Response, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (log, number) = (self.log.clone(), request.attempt().number);
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            let code = answer.as_ref().err().map(|error| {
                let status = error.downcast_ref::<Status>();
                status.map_or(Code::Unknown, Status::code)
            });
            log.0.lock().unwrap().push((number, code));
            answer
        })
    }
}

#[tokio::test]
async fn one_call_and_two_attempts() {
    let fleet = Fleet::of(2).await;
    let (calls, attempts) = (Log::default(), Log::default());
    let builder = fleet
        .cluster()
        .call_layer(calls.clone())
        .attempt_layer(attempts.clone());
    let (_cluster, client) = fleet.follow(builder).await;
    fleet.next(Act::break_off());
    client.read(1).await.unwrap();
    assert_eq!(calls.entries(), [(0, None)]);
    assert_eq!(
        attempts.entries(),
        [(0, Some(Code::Unavailable)), (1, None)]
    );
}

#[tokio::test]
async fn layers_are_passed_in_the_order_they_were_added_and_reach_the_wire() {
    /// Adds a letter to what there is.
    struct Letter(&'static str);

    impl<S> Layer<S> for Letter {
        type Service = tower::util::MapRequest<S, Box<dyn FnMutRequest>>;

        fn layer(&self, inner: S) -> Self::Service {
            let letter = self.0;
            let add: Box<dyn FnMutRequest> = Box::new(move |mut request: Request| {
                let before = request.metadata().get_str("way").unwrap_or_default();
                let way = format!("{before}{letter}");
                request.metadata_mut().insert("way", way).unwrap();
                request
            });
            tower::util::MapRequest::new(inner, add)
        }
    }

    trait FnMutRequest: FnMut(Request) -> Request + Send + Sync {
        fn boxed(&self) -> Box<dyn FnMutRequest>;
    }

    impl<F: FnMut(Request) -> Request + Clone + Send + Sync + 'static> FnMutRequest for F {
        fn boxed(&self) -> Box<dyn FnMutRequest> {
            Box::new(self.clone())
        }
    }

    impl Clone for Box<dyn FnMutRequest> {
        fn clone(&self) -> Self {
            (**self).boxed()
        }
    }

    let fleet = Fleet::of(1).await;
    let builder = fleet
        .cluster()
        .call_layer(Letter("a"))
        .attempt_layer(Letter("c"))
        .call_layer(Letter("b"))
        .attempt_layer(Letter("d"));
    let (_cluster, client) = fleet.follow(builder).await;
    let options = CallOptions::new().metadata("way", ">").unwrap();
    client.with(options).write().await.unwrap();
    let seen = fleet.replicas[0].handlers.metadata("way");
    assert_eq!(seen.as_deref(), Some(">abcd"));
}

#[tokio::test]
async fn what_a_layer_refuses_before_it_ran_goes_elsewhere() {
    /// Lets nothing through to the first instance that asks.
    #[derive(Clone, Default)]
    struct NotThere(Arc<Mutex<Option<usize>>>);

    let fleet = Fleet::of(2).await;
    let barred = NotThere::default();
    let layer = tower::layer::layer_fn({
        let made = Arc::new(Mutex::new(0));
        let barred = barred.clone();
        move |inner: doge_rpc::call::BoxedService| {
            let number = {
                let mut made = made.lock().unwrap();
                *made += 1;
                *made
            };
            let barred = barred.clone();
            tower::service_fn(move |request: Request| {
                let (barred, mut inner) = (barred.clone(), inner.clone());
                async move {
                    let who = *barred.0.lock().unwrap().get_or_insert(number);
                    if who == number {
                        let refused = Status::unavailable("not there").rejected();
                        return Err(BoxError::from(refused));
                    }
                    std::future::poll_fn(|cx| inner.poll_ready(cx)).await?;
                    inner.call(request).await
                }
            })
        }
    });
    let once = Strategy::Failover(Failover {
        retries: 0,
        ..Failover::default()
    });
    let builder = fleet.cluster().strategy(once).attempt_layer(layer);
    let (cluster, client) = fleet.follow(builder).await;
    for _ in 0..20 {
        client.write().await.unwrap();
    }
    assert_eq!(fleet.total(), 20);
    assert!(cluster.stats().attempts > 20);
    assert_eq!(cluster.stats().retries, 0, "it is free, as it never ran");
}

#[tokio::test]
async fn a_call_that_is_dropped_is_dropped_through_all_layers() {
    let fleet = Fleet::of(1).await;
    let builder = fleet
        .cluster()
        .call_layer(Log::default())
        .attempt_layer(Log::default());
    let (_cluster, client) = fleet.follow(builder).await;
    fleet.all(&Act::Hang);
    let call = tokio::spawn(async move { client.write().await });
    fleet.replicas[0].handlers.until_running(1).await;
    call.abort();
    soon(fleet.replicas[0].handlers.until_running(0)).await;
}
