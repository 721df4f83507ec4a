use std::{
    hint::black_box,
    pin::pin,
    task::{self, Poll, Waker},
};

use doge_rpc::call::{Context, Request, Serve as _, guard};
use gungraun::prelude::*;

use crate::{
    OPERATIONS,
    echo::{self, EchoServer, SameValue},
};

library_benchmark_group!(name = serving, benchmarks = serve);

// From a request to its response, as a server polls it in place: the context, the arguments, the handler, the result.
#[library_benchmark(setup = server_and_request)]
#[bench::small()]
fn serve((server, request): (EchoServer<SameValue>, Request)) -> (EchoServer<SameValue>, Request) {
    for _ in 0..OPERATIONS {
        serve_one(&server, &request);
    }
    (server, request)
}

fn server_and_request() -> (EchoServer<SameValue>, Request) {
    let (server, request) = (EchoServer::new(SameValue), echo::request());
    serve_one(&server, &request);
    (server, request)
}

fn serve_one(server: &EchoServer<SameValue>, request: &Request) {
    let request = request.clone();
    let context = Context::of(&request);
    let handler = pin!(server.serve(request));
    let mut task = task::Context::from_waker(Waker::noop());
    let poll = || guard(context.route(), context.peer(), handler, &mut task);
    let Poll::Ready(mut answer) = context.clone().sync_scope(poll) else {
        panic!("an echo waits for nothing")
    };
    context.complete(&mut answer);
    black_box(answer.expect("an echo answers"));
}
