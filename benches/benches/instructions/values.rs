use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use doge_benches::Small;
use doge_rpc::{
    Status,
    call::{Attempt, Request, Response, Route},
    protocol::{Codec, Fields, Fragment, Frame, Message, RequestHead, ResponseHead, RouteRef},
    schema::Encoding,
    wire,
};
use gungraun::prelude::*;

use crate::{OPERATIONS, echo};

library_benchmark_group!(
    name = messages,
    benchmarks = [
        encode_arguments,
        decode_arguments,
        decode_result,
        encode_frame,
        decode_frame,
    ]
);

#[library_benchmark(setup = warm_sample)]
#[bench::small()]
fn encode_arguments(value: Small) -> Small {
    for _ in 0..OPERATIONS {
        black_box(encode(black_box(&value)));
    }
    value
}

#[library_benchmark]
#[bench::small(echo::request())]
fn decode_arguments(request: Request) -> Request {
    for _ in 0..OPERATIONS {
        let mut arguments = black_box(&request).arguments().expect("an array");
        black_box(arguments.take::<Small>("value").expect("a sample"));
    }
    request
}

#[library_benchmark(setup = response)]
#[bench::small()]
fn decode_result(response: Response) -> Response {
    let route = Route::named("echo", "echo").expect("short names");
    for _ in 0..OPERATIONS {
        black_box(black_box(&response).decode::<Small, Status>(&route).is_ok());
    }
    response
}

#[library_benchmark(setup = frame_and_room)]
#[bench::request(request_frame())]
#[bench::response(response_frame())]
fn encode_frame((frame, mut bytes): (Frame, BytesMut)) -> (Frame, BytesMut) {
    for _ in 0..OPERATIONS {
        bytes.clear();
        frame
            .encode(black_box(&mut bytes), u32::MAX)
            .expect("a sample is small");
    }
    (frame, bytes)
}

#[library_benchmark(setup = bytes_and_room)]
#[bench::request(request_frame())]
#[bench::response(response_frame())]
fn decode_frame((bytes, mut source): (Bytes, BytesMut)) -> (Bytes, BytesMut) {
    let codec = Codec::default();
    for _ in 0..OPERATIONS {
        source.extend_from_slice(black_box(&bytes));
        black_box(codec.next(&mut source).expect("a frame"));
    }
    (bytes, source)
}

fn warm_sample() -> Small {
    let value = Small::sample();
    encode(&value);
    value
}

fn encode(value: &Small) -> Bytes {
    wire::encode(&(value,), Encoding::Map).expect("a sample serialises")
}

fn response() -> Response {
    let body = wire::encode(&Small::sample(), Encoding::Map).expect("a sample serialises");
    Response::from_result(body)
}

fn request_frame() -> Frame {
    let head = RequestHead {
        route: RouteRef::Known(1),
        timeout: 1000,
        attempt: Attempt::default(),
        one_way: false,
        stream: false,
        fields: Fields::default(),
    };
    let body = Fragment::whole(echo::request().bytes().clone());
    Frame {
        call: 1,
        message: Message::Request(head, body),
    }
}

fn response_frame() -> Frame {
    let head = ResponseHead {
        application_error: false,
        stream: false,
        fields: Fields::default(),
    };
    let body = Fragment::whole(response().bytes().clone());
    Frame {
        call: 1,
        message: Message::Response(head, body),
    }
}

fn frame_and_room(frame: Frame) -> (Frame, BytesMut) {
    (frame, BytesMut::with_capacity(4096))
}

fn bytes_and_room(frame: Frame) -> (Bytes, BytesMut) {
    let mut bytes = BytesMut::new();
    frame
        .encode(&mut bytes, u32::MAX)
        .expect("a sample is small");
    (bytes.freeze(), BytesMut::with_capacity(4096))
}
