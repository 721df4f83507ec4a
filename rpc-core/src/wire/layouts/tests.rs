use serde::{Deserialize, Deserializer, de};

use super::{StructLayouts, explore};

fn complete<T: de::DeserializeOwned>() -> bool {
    StructLayouts::of(&[explore::<T>]).is_complete()
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its Deserialize counts")]
struct Inner {
    a: u8,
    #[serde(skip)]
    b: u8,
    c: Option<Box<Self>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its Deserialize counts")]
enum Outer {
    Empty,
    One(Vec<Inner>),
    Two(u8, Inner),
    Named { x: Inner, y: u8 },
}

#[test]
fn all_structs_are_found_with_what_they_read() {
    let layouts = StructLayouts::of(&[explore::<Outer>]);
    assert!(layouts.is_complete());
    assert_eq!(layouts.fields("Inner", None), Some(&["a", "c"][..]));
    assert_eq!(
        layouts.fields("Outer", Some("Named")),
        Some(&["x", "y"][..])
    );
    assert_eq!(layouts.fields("Outer", Some("Two")), None);
    assert_eq!(layouts.fields("Named", None), None);
}

#[test]
fn structs_of_one_name_are_arrays_only_if_they_are_the_same() {
    mod other {
        #[derive(serde::Deserialize)]
        #[expect(dead_code, reason = "only its Deserialize counts")]
        pub(super) struct Inner {
            c: u8,
        }
    }
    let layouts = StructLayouts::of(&[explore::<Inner>, explore::<other::Inner>]);
    assert!(layouts.is_complete());
    assert_eq!(layouts.fields("Inner", None), None);
}

#[test]
fn a_buffer_is_found_wherever_it_is() {
    #[derive(Deserialize)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only its Deserialize counts")]
    enum Untagged {
        A(Inner),
    }
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its Deserialize counts")]
    enum Variant {
        A(u8),
        #[serde(untagged)]
        B {
            a: u8,
        },
    }
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its Deserialize counts")]
    struct Flat {
        #[serde(flatten)]
        inner: Inner,
    }
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its Deserialize counts")]
    struct Holds<T> {
        first: String,
        holds: Option<std::collections::BTreeMap<u8, (u8, [T; 2])>>,
    }
    assert!(complete::<Holds<Inner>>());
    assert!(complete::<Holds<Holds<Inner>>>());
    assert!(!complete::<Holds<Untagged>>());
    assert!(!complete::<Holds<Holds<Untagged>>>());
    assert!(!complete::<Holds<Variant>>());
    assert!(!complete::<Holds<Flat>>());
    assert!(!complete::<Result<(), Holds<Flat>>>());
}

#[test]
fn what_cannot_be_explored_is_not_complete() {
    /// Takes no text that is made up.
    struct Picky;
    impl<'de> Deserialize<'de> for Picky {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            match String::deserialize(deserializer)?.as_str() {
                "picky" => Ok(Self),
                other => Err(de::Error::custom(other)),
            }
        }
    }
    /// Reads maps only.
    struct NoArray;
    impl<'de> Deserialize<'de> for NoArray {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Maps;
            impl<'de> de::Visitor<'de> for Maps {
                type Value = NoArray;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a map")
                }
                fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<NoArray, A::Error> {
                    while map.next_entry::<String, u8>()?.is_some() {}
                    Ok(NoArray)
                }
            }
            deserializer.deserialize_struct("NoArray", &["a"], Maps)
        }
    }
    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its Deserialize counts")]
    struct Fields {
        picky: Picky,
        inner: Inner,
    }
    assert!(complete::<Picky>());
    assert!(complete::<Fields>());
    assert!(complete::<(u8, Picky)>());
    assert!(!complete::<(Picky, Inner)>());
    assert!(!complete::<NoArray>());
}
