use std::{
    hint::black_box,
    task::{Context, Poll, Waker},
};

use bytes::BytesMut;
use doge_benches::Small;
use doge_rpc::{
    Status,
    call::{Request, Response},
    connection::{
        Batch, ClientConnection, HasOutbox as _, Incoming, Limits, Outbox, ServerConnection,
        ServerEvent, Serving as _,
    },
    protocol::Codec,
    schema::Encoding,
    wire,
};
use gungraun::prelude::*;
use tokio::time::Instant;

use crate::{OPERATIONS, echo};

library_benchmark_group!(name = state_machines, benchmarks = round_trips);

// The rules of both ends for calls that start together, and the bytes between them: no I/O, no task, no handler.
#[library_benchmark]
#[bench::alone(Ends::open(1))]
#[bench::in_batches_of_128(Ends::open(128))]
fn round_trips(mut ends: Ends) -> Ends {
    for _ in 0..OPERATIONS / ends.batch {
        ends.round_trip();
    }
    ends
}

struct Ends {
    client: ClientConnection,
    server: ServerConnection<(), ()>,
    batch: usize,
    request: Request,
    answer: Result<Response, Status>,
    started: Vec<u64>,
    taken: Batch,
    wire: Vec<u8>,
    read: BytesMut,
    codec: Codec,
    wakers: Vec<Waker>,
    now: Instant,
}

impl Ends {
    /// Two ends that have said hello, and made calls before.
    fn open(batch: usize) -> Self {
        let now = Instant::now();
        let result = wire::encode(&Small::sample(), Encoding::Map).expect("a sample serialises");
        let mut ends = Self {
            client: ClientConnection::new(Limits::default(), now),
            server: ServerConnection::new(Limits::default(), now),
            batch,
            request: echo::request(),
            answer: Ok(Response::from_result(result)),
            started: Vec::new(),
            taken: Batch::default(),
            wire: Vec::new(),
            read: BytesMut::new(),
            codec: Codec::default(),
            wakers: Vec::new(),
            now,
        };
        ends.pass_requests();
        ends.pass_answers();
        ends.round_trip();
        ends
    }

    fn round_trip(&mut self) {
        let mut task = Context::from_waker(Waker::noop());
        for _ in 0..self.batch {
            let call = self.client.start(&self.request, self.now, task.waker());
            self.started.push(call.expect("there is room"));
        }
        self.pass_requests();
        self.pass_answers();
        self.wakers.drain(..).for_each(Waker::wake);
        for call in self.started.drain(..) {
            let Poll::Ready(answer) = self.client.poll_answer(call, &mut task) else {
                panic!("the server answered all")
            };
            let answer = answer.expect("no deadline has passed");
            black_box(answer.expect("the server answered it"));
        }
    }

    fn pass_requests(&mut self) {
        write(self.client.outbox(), &mut self.taken, &mut self.wire);
        self.read.extend_from_slice(&self.wire);
        self.server.was_read(self.now);
        while let Some(frame) = self.codec.next(&mut self.read).expect("a frame") {
            let event = self.server.receive(frame, self.now, |_| ());
            if let ServerEvent::Call(Incoming { id, .. }) = event.expect("the client keeps to it") {
                self.server.answer(id, &self.answer);
            }
        }
    }

    fn pass_answers(&mut self) {
        write(self.server.outbox(), &mut self.taken, &mut self.wire);
        self.read.extend_from_slice(&self.wire);
        self.client.was_read(self.now);
        while let Some(frame) = self.codec.next(&mut self.read).expect("a frame") {
            self.client
                .receive(frame, self.now, &mut self.wakers)
                .expect("the server keeps to it");
        }
    }
}

fn write(outbox: &mut Outbox, batch: &mut Batch, wire: &mut Vec<u8>) {
    wire.clear();
    outbox.claim();
    while outbox.take(batch) {
        while !batch.is_empty() {
            let mut task = Context::from_waker(Waker::noop());
            let Poll::Ready(written) = batch.poll_write(wire, &mut task) else {
                panic!("a vector takes all")
            };
            outbox.wrote(written.expect("a vector takes all"));
        }
    }
}
