//! What the parts of a call cost by themselves: one value, one frame, one call without a socket.
//!
//! ```sh
//! cargo bench -p doge-benches --bench micro
//! ```

use std::hint::black_box;

use bytes::BytesMut;
use criterion::Criterion;
use doge_benches::{Contender as _, Payload, Small, contenders::Doge};
use doge_rpc::{
    call::Attempt,
    protocol::{Codec, Fields, Fragment, Frame, Message, RequestHead, RouteRef},
    schema::Encoding,
    wire,
};
use tokio::runtime::Builder;
use tokio_util::codec::{Decoder as _, Encoder as _};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    value(&mut criterion);
    frame(&mut criterion);
    call(&mut criterion);
    criterion.final_summary();
}

fn value(criterion: &mut Criterion) {
    let small = Small::sample();
    let bytes = wire::encode(&small, Encoding::Map).expect("a sample serialises");
    let mut group = criterion.benchmark_group("value");
    group.bench_function("encode", |bencher| {
        bencher.iter(|| wire::encode(black_box(&small), Encoding::Map));
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| wire::decode::<Small>(black_box(&bytes)));
    });
}

fn frame(criterion: &mut Criterion) {
    let body = wire::encode(&(&Small::sample(),), Encoding::Map).expect("a sample serialises");
    let head = RequestHead {
        route: RouteRef::Known(1),
        timeout: 1000,
        attempt: Attempt::default(),
        one_way: false,
        stream: false,
        fields: Fields::default(),
    };
    let frame = Frame {
        call: 1,
        message: Message::Request(head, Fragment::whole(body)),
    };
    let (mut codec, mut bytes) = (Codec::default(), BytesMut::new());
    codec
        .encode(frame.clone(), &mut bytes)
        .expect("a sample fits into a frame");
    let request = bytes.split().freeze();

    let mut group = criterion.benchmark_group("request frame");
    group.bench_function("encode", |bencher| {
        bencher.iter(|| {
            bytes.clear();
            frame.encode(black_box(&mut bytes), u32::MAX)
        });
    });
    group.bench_function("decode", |bencher| {
        let mut source = BytesMut::new();
        bencher.iter(|| {
            source.extend_from_slice(black_box(&request));
            codec.decode(&mut source)
        });
    });
}

fn call(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a process has room for one more epoll");
    let local = Doge::local();
    let in_memory = runtime
        .block_on(Doge::in_memory("micro"))
        .expect("the name is free");
    let mut group = criterion.benchmark_group("call");
    for (name, client) in [("local", local), ("memory", in_memory)] {
        group.bench_function(name, |bencher| {
            bencher.to_async(&runtime).iter(|| one(&client));
        });
    }
}

async fn one(client: &Doge) {
    let value = Doge::value(Payload::Small).expect("a sample is a value");
    let answer = client.call(value).await.expect("an echo answers");
    black_box(answer);
}
