//! What is too much for a body is known at its sender.

use doge_rpc_core::{
    Code, Status,
    call::{Response, Route},
    schema::{Encoding, MethodSchema},
    wire::{self, MAX_DEPTH, MAX_ELEMENTS},
};
use serde::{Deserialize, Serialize};

use crate::ErrorOf;

static LIST: MethodSchema = MethodSchema::new("bench", "list", 0);

#[derive(Debug, Serialize, Deserialize)]
struct Item {
    id: u32,
    name: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Expression {
    Not(Box<Self>),
    True,
}

/// Lists inside each other, this many.
#[derive(Serialize, Deserialize)]
struct Nested(Vec<Self>);

fn nested(depth: usize) -> Nested {
    (1..depth).fold(Nested(Vec::new()), |inner, _| Nested(vec![inner]))
}

fn expression(depth: usize) -> Expression {
    (0..depth).fold(Expression::True, |inner, _| {
        Expression::Not(Box::new(inner))
    })
}

fn items(count: usize) -> Vec<Item> {
    (0..count)
        .map(|_| Item {
            id: 1,
            name: String::new(),
        })
        .collect()
}

#[test]
fn an_answer_with_too_many_elements_never_leaves() {
    // Each is one of the list and has two entries.
    let most = MAX_ELEMENTS / 5;
    let full = Response::encode::<_, Status>(&LIST, Ok(items(most))).unwrap();
    assert_eq!(
        full.decode::<Vec<Item>, Status>(&Route::from(&LIST))
            .unwrap()
            .len(),
        most
    );
    for result in [Ok(items(most + 1)), Err(ErrorOf(items(most + 1)))] {
        let status = Response::encode(&LIST, result).unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(!status.never_ran());
        assert!(
            status
                .message()
                .starts_with("the answer of bench/list has more than 1048576 elements"),
            "{status}"
        );
        assert!(status.message().contains("page the list"), "{status}");
    }
}

#[test]
fn an_answer_that_nests_too_deep_never_leaves() {
    let full = Response::encode::<_, Status>(&LIST, Ok(nested(MAX_DEPTH))).unwrap();
    full.decode::<Nested, Status>(&Route::from(&LIST))
        .map(drop)
        .unwrap();
    let full = Response::encode::<_, Status>(&LIST, Ok(expression(MAX_DEPTH))).unwrap();
    let read = full
        .decode::<Expression, Status>(&Route::from(&LIST))
        .unwrap();
    assert_eq!(read, expression(MAX_DEPTH));
    let lists = Response::encode::<_, Status>(&LIST, Ok(nested(MAX_DEPTH + 1)));
    let variants = Response::encode::<_, Status>(&LIST, Ok(expression(MAX_DEPTH + 1)));
    for status in [lists.unwrap_err(), variants.unwrap_err()] {
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(
            status
                .message()
                .starts_with("the answer of bench/list is nested deeper than 128 levels"),
            "{status}"
        );
    }
}

#[test]
fn an_answer_of_a_server_without_limits_says_so_too() {
    let many = [&b"\xdd\x00\x10\x00\x01"[..], &vec![0xC0; MAX_ELEMENTS + 1]].concat();
    let deep = [vec![0x91; MAX_DEPTH], vec![0x90]].concat();
    for (body, said, mend) in [
        (many, "more than 1048576 elements", "page the list"),
        (deep, "nested deeper than 128", "flatten"),
    ] {
        let response = Response::from_result(body.into());
        let status = response
            .decode::<Nested, Status>(&Route::from(&LIST))
            .map(drop)
            .unwrap_err();
        let elements = response.decode::<Vec<()>, Status>(&Route::from(&LIST));
        assert_eq!(
            status.code(),
            Code::ResourceExhausted,
            "{status} {elements:?}"
        );
        assert!(status.message().contains(said), "{status}");
        assert!(status.message().contains(mend), "{status}");
    }
}

#[test]
fn arguments_over_a_limit_never_leave() {
    let many = wire::encode(&(items(MAX_ELEMENTS / 5 + 1),), Encoding::Map).unwrap_err();
    // The list of the arguments is a level.
    wire::encode(&(nested(MAX_DEPTH - 1),), Encoding::Map).unwrap();
    let deep = wire::encode(&(nested(MAX_DEPTH),), Encoding::Map).unwrap_err();
    for (error, said) in [
        (many, "has more than 1048576 elements"),
        (deep, "is nested deeper than 128"),
    ] {
        let status = Status::from(error);
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.never_ran());
        assert!(status.message().contains(said), "{status}");
    }
}

#[test]
fn elements_that_are_counted_while_they_are_written_count() {
    struct Unknown(usize);
    impl Serialize for Unknown {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq((0..self.0).filter(|_| true))
        }
    }
    for count in [0, 15, 16, 65_536, MAX_ELEMENTS] {
        let bytes = wire::encode(&Unknown(count), Encoding::Map).unwrap();
        let read = wire::decode::<Vec<u32>>(&bytes).unwrap();
        assert_eq!(read.len(), count);
        assert_eq!(
            read.last().copied(),
            u32::try_from(count).unwrap().checked_sub(1)
        );
    }
    wire::encode(&Unknown(MAX_ELEMENTS + 1), Encoding::Map).unwrap_err();
}
