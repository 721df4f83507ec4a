//! Values of types with all of serde's attributes, in both encodings: what the sender accepts arrives as the same value,
//! or the sender is told.

mod containers;
mod evolution;
mod limits;
mod round_trips;
mod types;

use std::fmt::Debug;

use bytes::Bytes;
use doge_rpc_core::{
    Deadline, Status,
    call::{Request, Route},
    schema::Encoding,
    wire::{self, EncodeError, StructLayouts},
};
use serde::{Serialize, de::DeserializeOwned};

/// What a value becomes on its way, by encoding: itself, another value or no value at all, or the refusal to send it.
fn sent<T: Serialize + DeserializeOwned>(value: &T) -> [Sent<T>; 2] {
    let layouts = StructLayouts::of(&[wire::explore::<T>]);
    [Encoding::Map, Encoding::Array(&layouts)].map(|encoding| {
        let body = match wire::encode(&(value,), encoding) {
            Ok(body) => body,
            Err(error) => return Sent::Refused(error),
        };
        let read = arguments(body)
            .arguments()
            .and_then(|mut arguments| arguments.take("value"));
        match read {
            Ok(value) => Sent::Arrived(value),
            Err(status) => Sent::Unread(status),
        }
    })
}

#[derive(Debug)]
enum Sent<T> {
    Arrived(T),
    Unread(Status),
    Refused(EncodeError),
}

fn arguments(body: Bytes) -> Request {
    let route = Route::named("values", "echo").expect("names are short");
    Request::new(
        route,
        body,
        Deadline::after(std::time::Duration::from_secs(1)),
    )
}

/// It arrives as itself in both encodings.
#[track_caller]
fn arrives<T: Serialize + DeserializeOwned + Debug + PartialEq>(value: &T) {
    for (sent, encoding) in sent(value).into_iter().zip(["maps", "arrays"]) {
        match sent {
            Sent::Arrived(arrived) if arrived == *value => {}
            other => panic!("{value:?} as {encoding}: {other:?}"),
        }
    }
}

/// Bytes of a value whose structs are arrays.
fn as_array<T: Serialize + DeserializeOwned>(value: &T) -> Bytes {
    let layouts = StructLayouts::of(&[wire::explore::<T>]);
    assert!(layouts.is_complete(), "a type of this test can be an array");
    wire::encode(value, Encoding::Array(&layouts)).expect("it can be written")
}

/// Any value as the error of a method, which is no status.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
struct ErrorOf<T>(T);

impl<T> From<doge_rpc_core::Status> for ErrorOf<T> {
    fn from(status: doge_rpc_core::Status) -> Self {
        panic!("no call fails with {status}")
    }
}
