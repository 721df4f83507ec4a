//! Peers of two versions.

use doge_rpc_core::{
    Status,
    call::{Response, Route},
    schema::MethodSchema,
    wire::{self, StructLayouts},
};
use serde::{Deserialize, Serialize};

use crate::{arguments, as_array};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Old {
    id: u32,
    #[serde(default)]
    name: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Old")]
struct New {
    id: u32,
    #[serde(default)]
    name: String,
    #[serde(default)]
    tags: Vec<Vec<String>>,
    #[serde(default)]
    boss: Option<Box<Self>>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum OldError {
    Gone { id: u32 },
    Status(Status),
}

impl From<Status> for OldError {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "OldError")]
enum NewError {
    Gone { id: u32, why: Vec<u8> },
    Status(Status),
}

impl From<Status> for NewError {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

fn old() -> Old {
    Old {
        id: 7,
        name: "Ada".into(),
    }
}

fn new() -> New {
    let boss = New {
        id: 1,
        name: "Eve".into(),
        tags: Vec::new(),
        boss: None,
    };
    New {
        id: 7,
        name: "Ada".into(),
        tags: vec![vec!["a".into()], vec![]],
        boss: Some(boss.into()),
    }
}

#[test]
fn a_reader_passes_over_fields_that_it_does_not_know() {
    assert_eq!(wire::decode::<Old>(&as_array(&new())).unwrap(), old());
    let list = as_array(&vec![new(), new()]);
    assert_eq!(wire::decode::<Vec<Old>>(&list).unwrap(), [old(), old()]);
    let map = as_array(&(Some(new()), 7));
    assert_eq!(
        wire::decode::<(Option<Old>, u8)>(&map).unwrap(),
        (Some(old()), 7)
    );
}

#[test]
fn arguments_results_and_errors_of_a_newer_peer_are_read() {
    static METHOD: MethodSchema = MethodSchema::new("values", "echo", 0)
        .with_arrays(&[wire::explore::<New>, wire::explore::<NewError>]);

    let request = arguments(as_array(&(new(), 9)));
    let mut arguments = request.arguments().unwrap();
    assert_eq!(arguments.take::<Old>("value").unwrap(), old());
    assert_eq!(arguments.take::<u8>("more").unwrap(), 9);

    let response = Response::encode::<_, NewError>(&METHOD, Ok(new())).unwrap();
    assert_eq!(response.bytes()[0], 0x94, "an array");
    assert_eq!(
        response.decode::<Old, OldError>(&Route::from(&METHOD)),
        Ok(old())
    );

    let gone = NewError::Gone {
        id: 7,
        why: vec![1],
    };
    let response = Response::encode::<New, _>(&METHOD, Err(gone)).unwrap();
    let error = response
        .decode::<Old, OldError>(&Route::from(&METHOD))
        .unwrap_err();
    assert_eq!(error, OldError::Gone { id: 7 });
}

#[test]
fn what_an_older_peer_does_not_send_has_its_default() {
    let mut expected = new();
    (expected.tags, expected.boss) = (Vec::new(), None);
    assert_eq!(wire::decode::<New>(&as_array(&old())).unwrap(), expected);
    assert_eq!(
        wire::decode::<Vec<Old>>(b"\x91\x91\x07").unwrap()[0].name,
        ""
    );
}

/// Nobody adds to the end of a pair of coordinates.
#[test]
fn tuples_have_the_length_that_they_have() {
    for bytes in [&b"\x93\x01\x02\x03"[..], b"\x91\x01"] {
        wire::decode::<(u8, u8)>(bytes).unwrap_err();
        wire::decode::<[u8; 2]>(bytes).unwrap_err();
    }
}

/// One type that cannot be an array, and all of the method are maps.
#[test]
fn a_method_with_a_tagged_type_is_one_of_maps() {
    #[derive(Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Tagged {
        Of(Old),
    }
    let layouts = StructLayouts::of(&[wire::explore::<Old>, wire::explore::<Tagged>]);
    assert!(!layouts.is_complete());
    static METHOD: MethodSchema = MethodSchema::new("values", "echo", 0)
        .with_arrays(&[wire::explore::<Old>, wire::explore::<Tagged>]);
    let response = Response::encode::<_, Status>(&METHOD, Ok(old())).unwrap();
    assert_eq!(response.bytes()[0], 0x82, "a map");
}

#[test]
fn wide_integers_are_read_from_blobs_of_any_width() {
    let value = [[0; 15].as_slice(), &[7]].concat();
    for head in [&b"\xc4\x10"[..], b"\xc5\x00\x10", b"\xc6\x00\x00\x00\x10"] {
        let bytes = [head, &value].concat();
        assert_eq!(wire::decode::<u128>(&bytes).unwrap(), 7);
        assert_eq!(wire::decode::<i128>(&bytes).unwrap(), 7);
    }
    wire::decode::<u128>(b"\xc4\x01\x07").unwrap_err();
    assert_eq!(wire::decode::<i128>(b"\xff").unwrap(), -1);
}
