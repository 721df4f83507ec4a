//! One type for each thing that serde's derive does with a struct or an enum.

use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*};
use serde::{Deserialize, Serialize};

macro_rules! serde_types {
    ($($(#[$attribute:meta])* $kind:ident $name:ident $body:tt $(;)?)*) => {$(
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        $(#[$attribute])*
        pub(crate) $kind $name $body
    )*};
}

serde_types! {
    struct Plain { pub(crate) a: u64, pub(crate) b: i8, pub(crate) c: String, pub(crate) d: Option<bool> }

    #[serde(rename_all = "camelCase")]
    struct Renamed {
        #[serde(rename = "first-field")]
        pub(crate) first_field: u16,
        pub(crate) second_field: char,
        #[serde(alias = "old", alias = "a")]
        pub(crate) third_field: f32,
    }

    struct LeavesOut {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(crate) bonus: Option<u32>,
        pub(crate) employee: u32,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub(crate) tags: Vec<u32>,
        #[serde(default)]
        pub(crate) salary: Option<u32>,
    }

    struct Skips {
        #[serde(skip)]
        pub(crate) never: u32,
        pub(crate) always: u32,
        #[serde(default = "seven")]
        pub(crate) last: u32,
    }

    // Its writer has fewer fields than its reader.
    struct NotWritten {
        #[serde(skip_serializing, default)]
        pub(crate) secret: u32,
        pub(crate) id: u32,
        #[serde(default)]
        pub(crate) grade: u32,
    }

    // Its writer has more fields than its reader.
    struct NotRead {
        pub(crate) id: u32,
        #[serde(skip_deserializing)]
        pub(crate) computed: u32,
        pub(crate) grade: u32,
    }

    struct Flattened {
        pub(crate) id: u32,
        #[serde(flatten)]
        pub(crate) plain: Plain,
        #[serde(flatten)]
        pub(crate) rest: BTreeMap<String, Plain>,
    }

    enum External {
        Unit,
        Newtype(Plain),
        Tuple(u8, Plain),
        Struct { x: u32, #[serde(default, skip_serializing_if = "Option::is_none")] y: Option<u32>, z: Option<u32> },
        Nested(Box<Self>),
    }

    #[serde(tag = "type")]
    enum Internal {
        Unit,
        Newtype(Plain),
        Struct { x: u32, #[serde(default, skip_serializing_if = "Option::is_none")] y: Option<u32>, z: Option<u32> },
        Nested(Adjacent),
    }

    #[serde(tag = "t", content = "c")]
    enum Adjacent {
        Unit,
        Newtype(Plain),
        Tuple(u8, Plain),
        Struct { x: u32, y: Option<u32> },
        List(Vec<Plain>),
    }

    // Some differ in nothing but the names of their fields. A list fits a struct, so the tuple is tried first.
    #[serde(untagged)]
    enum Untagged {
        Point { x: u32, y: u32 },
        Size { width: u32, height: u32 },
        Pair(u32, u32),
        Shape(Shape),
        Other(OtherShape),
        Many(Vec<Plain>),
        Text(String),
        Unit,
    }

    struct Shape { pub(crate) sides: u32, pub(crate) length: u32 }
    struct OtherShape { pub(crate) angle: u32, pub(crate) radius: u32 }

    enum PartlyUntagged {
        Unit,
        Tagged(u32),
        #[serde(untagged)]
        Point { x: u32, y: u32 },
        // A list fits a struct, so the tuple is tried first.
        #[serde(untagged)]
        Pair(u32, u32),
        #[serde(untagged)]
        Shape(Shape),
    }

    #[serde(transparent)]
    struct Transparent { pub(crate) inner: Plain }


    // Of the same name as the one above on the wire.
    #[serde(rename = "Plain")]
    struct SameName { pub(crate) b: i8, pub(crate) a: u64 }

    struct Wide { pub(crate) signed: i128, pub(crate) unsigned: u128, pub(crate) float: f64, pub(crate) blob: bytes::Bytes }

    #[serde(deny_unknown_fields)]
    struct Strict { pub(crate) a: u8, pub(crate) b: Option<u8> }

    #[serde(from = "Plain", into = "Plain")]
    struct Converted { pub(crate) plain: Plain }
}

/// A struct with a body that is a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tuple(pub(crate) u8, pub(crate) Plain, pub(crate) String);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Newtype(pub(crate) Plain);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Generic<T> {
    pub(crate) value: T,
    pub(crate) more: u8,
}

/// A type that contains itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tree {
    pub(crate) value: u8,
    pub(crate) children: Vec<Self>,
}

fn seven() -> u32 {
    7
}

impl From<Plain> for Converted {
    fn from(plain: Plain) -> Self {
        Self { plain }
    }
}

impl From<Converted> for Plain {
    fn from(converted: Converted) -> Self {
        converted.plain
    }
}

macro_rules! strategy {
    ($name:ident -> $ty:ty: $body:expr) => {
        pub(crate) fn $name() -> impl Strategy<Value = $ty> + Clone {
            $body
        }
    };
}

fn small() -> impl Strategy<Value = u32> + Clone {
    prop_oneof![0..4_u32, any::<u32>()]
}

strategy!(plain -> Plain: (any::<u64>(), any::<i8>(), ".{0,3}", option::of(any::<bool>()))
    .prop_map(|(a, b, c, d)| Plain { a, b, c, d }));
strategy!(renamed -> Renamed: (any::<u16>(), any::<char>(), any::<f32>())
    .prop_map(|(first_field, second_field, third_field)| Renamed { first_field, second_field, third_field }));
strategy!(leaves_out -> LeavesOut: (option::of(small()), small(), vec(small(), 0..3), option::of(small()))
    .prop_map(|(bonus, employee, tags, salary)| LeavesOut { bonus, employee, tags, salary }));
strategy!(flattened -> Flattened: (small(), plain(), proptest::collection::btree_map("x[a-z]{0,3}", plain(), 0..3))
    .prop_map(|(id, plain, rest)| Flattened { id, plain, rest }));
strategy!(external -> External: prop_oneof![
    Just(External::Unit),
    plain().prop_map(External::Newtype),
    (any::<u8>(), plain()).prop_map(|(a, b)| External::Tuple(a, b)),
    (small(), option::of(small()), option::of(small())).prop_map(|(x, y, z)| External::Struct { x, y, z }),
    plain().prop_map(|plain| External::Nested(Box::new(External::Newtype(plain)))),
]);
strategy!(adjacent -> Adjacent: prop_oneof![
    Just(Adjacent::Unit),
    plain().prop_map(Adjacent::Newtype),
    (any::<u8>(), plain()).prop_map(|(a, b)| Adjacent::Tuple(a, b)),
    (small(), option::of(small())).prop_map(|(x, y)| Adjacent::Struct { x, y }),
    vec(plain(), 0..3).prop_map(Adjacent::List),
]);
strategy!(internal -> Internal: prop_oneof![
    Just(Internal::Unit),
    plain().prop_map(Internal::Newtype),
    (small(), option::of(small()), option::of(small())).prop_map(|(x, y, z)| Internal::Struct { x, y, z }),
    adjacent().prop_map(Internal::Nested),
]);
strategy!(shape -> Shape: (small(), small()).prop_map(|(sides, length)| Shape { sides, length }));
strategy!(untagged -> Untagged: prop_oneof![
    (small(), small()).prop_map(|(x, y)| Untagged::Point { x, y }),
    (small(), small()).prop_map(|(width, height)| Untagged::Size { width, height }),
    (small(), small()).prop_map(|(a, b)| Untagged::Pair(a, b)),
    shape().prop_map(Untagged::Shape),
    (small(), small()).prop_map(|(angle, radius)| Untagged::Other(OtherShape { angle, radius })),
    vec(plain(), 0..3).prop_map(Untagged::Many),
    ".{0,3}".prop_map(Untagged::Text),
    Just(Untagged::Unit),
]);
strategy!(partly_untagged -> PartlyUntagged: prop_oneof![
    Just(PartlyUntagged::Unit),
    small().prop_map(PartlyUntagged::Tagged),
    (small(), small()).prop_map(|(x, y)| PartlyUntagged::Point { x, y }),
    shape().prop_map(PartlyUntagged::Shape),
    (small(), small()).prop_map(|(a, b)| PartlyUntagged::Pair(a, b)),
]);
strategy!(wide -> Wide: (any::<i128>(), any::<u128>(), any::<f64>(), vec(any::<u8>(), 0..20))
    .prop_map(|(signed, unsigned, float, blob)| Wide { signed, unsigned, float, blob: blob.into() }));
strategy!(tree -> Tree: any::<u8>().prop_map(|value| Tree { value, children: Vec::new() })
    .prop_recursive(4, 16, 3, |inner| (any::<u8>(), vec(inner, 0..3))
        .prop_map(|(value, children)| Tree { value, children })));
