//! Each type alone, and as what is inside another.

use std::{collections::BTreeMap, fmt::Debug};

use proptest::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{arrives, types::*};

/// An error as services declare it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Failed<T> {
    Newtype(T),
    Tuple(T, u8),
    Struct { value: T, other: u8 },
    Status(doge_rpc_core::Status),
}

/// Alone, in lists, options, maps, tuples, structs and all variants.
fn everywhere<T: Serialize + DeserializeOwned + Debug + PartialEq + Clone>(value: &T) {
    arrives(value);
    let value = || value.clone();
    arrives(&vec![value(), value()]);
    arrives(&BTreeMap::from([(7_u32, value()), (8, value())]));
    arrives(&(value(), 7_u8));
    arrives(&Generic {
        value: value(),
        more: 7,
    });
    arrives(&Box::new([value(), value()]));
    for failed in [
        Failed::Newtype(value()),
        Failed::Tuple(value(), 7),
        Failed::Struct {
            value: value(),
            other: 7,
        },
        Failed::Status(doge_rpc_core::Status::not_found("none")),
    ] {
        arrives(&Err::<T, _>(failed));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn plain_structs(value in plain()) {
        everywhere(&value);
        everywhere(&Some(value.clone()));
        everywhere(&Newtype(value.clone()));
        everywhere(&Transparent { inner: value.clone() });
        everywhere(&Converted { plain: value.clone() });
        everywhere(&Generic { value: Generic { value: value.clone(), more: 1 }, more: 2 });
        everywhere(&Tuple(1, value.clone(), "x".into()));
        everywhere(&(value.clone(), SameName { b: value.b, a: value.a }));
        everywhere(&Unit);
        everywhere(&Strict { a: 1, b: value.d.map(u8::from) });
    }

    #[test]
    fn renamed_fields(value in renamed()) {
        everywhere(&value);
    }

    #[test]
    fn fields_that_are_left_out(value in leaves_out(), last: u32) {
        everywhere(&value);
        everywhere(&Some(value));
        everywhere(&Skips { never: 0, always: last, last });
    }

    /// The field that does not travel has its default, and the others are what they were.
    #[test]
    fn fields_of_one_side(id: u32, grade: u32) {
        everywhere(&NotWritten { secret: 0, id, grade });
        everywhere(&NotRead { id, computed: 0, grade });
    }

    #[test]
    fn flattened_structs(value in flattened()) {
        everywhere(&value);
    }

    #[test]
    fn externally_tagged_enums(value in external()) {
        everywhere(&value);
    }

    #[test]
    fn internally_tagged_enums(value in internal()) {
        everywhere(&value);
    }

    #[test]
    fn adjacently_tagged_enums(value in adjacent()) {
        everywhere(&value);
    }

    #[test]
    fn untagged_enums(value in untagged()) {
        everywhere(&value);
    }

    #[test]
    fn untagged_variants(value in partly_untagged()) {
        everywhere(&value);
    }

    #[test]
    fn wide_integers_floats_and_blobs(value in wide()) {
        everywhere(&value);
    }

    #[test]
    fn types_that_contain_themselves(value in tree()) {
        everywhere(&value);
    }

    #[test]
    fn keys_that_are_no_text(keys in proptest::collection::vec(any::<(i16, char, bool)>(), 0..4), value in plain()) {
        let numbers: BTreeMap<_, _> = keys.iter().map(|key| (key.0, value.clone())).collect();
        let chars: BTreeMap<_, _> = keys.iter().map(|key| (key.1, value.clone())).collect();
        let tuples: BTreeMap<_, _> = keys.iter().map(|key| ((key.0, key.2), value.clone())).collect();
        everywhere(&(numbers, chars, tuples));
    }
}
