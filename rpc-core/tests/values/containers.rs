//! Types of the standard library, and what serde cannot carry.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6},
    num::NonZeroU8,
    ops::Range,
    time::Duration,
};

use doge_rpc_core::Code;
use serde::{Deserialize, Serialize};

use crate::{Sent, arrives, sent};

#[test]
fn types_of_the_standard_library() {
    let v6 = IpAddr::V6(Ipv6Addr::LOCALHOST);
    arrives(&(Duration::from_millis(1500), Range { start: 1, end: 7 }));
    arrives(&(v6, SocketAddr::new(v6, 80), NonZeroU8::MIN));
    arrives(&HashMap::from([(v6, Some([1.5, f64::INFINITY]))]));
    arrives(&Ok::<_, String>((1_u8, 'x', "text".to_owned(), ())));
}

/// It would arrive as `None`.
#[test]
fn some_of_nil_is_refused_at_its_sender() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Patch {
        name: Option<Option<String>>,
    }

    fn refused<T: Serialize + serde::de::DeserializeOwned + std::fmt::Debug>(value: &T) {
        for sent in sent(value) {
            let Sent::Refused(error) = sent else {
                panic!("{value:?}: {sent:?}");
            };
            assert!(
                error.to_string().contains("would arrive as `None`"),
                "{error}"
            );
        }
    }

    refused(&Patch { name: Some(None) });
    refused(&vec![Some(())]);
    arrives(&Some(Some(7)));
    arrives(&None::<Option<u8>>);
}

/// serde's buffer for tagged, untagged and flattened types has no 128-bit integers, and an `IpAddr` in it is looked
/// for as text. Their reader says so, and so the caller is told.
#[test]
fn what_has_no_place_in_a_buffer_is_refused_by_its_reader() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Tagged {
        Wide { value: u128 },
    }
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Wide { value: i128 },
    }
    #[derive(Debug, Serialize, Deserialize)]
    struct Flat {
        #[serde(flatten)]
        inner: Inner,
    }
    #[derive(Debug, Serialize, Deserialize)]
    struct Inner {
        value: u128,
    }
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Address {
        Of { address: IpAddr },
        Socket { address: SocketAddr },
    }

    fn unread<T: Serialize + serde::de::DeserializeOwned + std::fmt::Debug>(value: &T) {
        for sent in sent(value) {
            let Sent::Unread(status) = sent else {
                panic!("{value:?}: {sent:?}");
            };
            assert_eq!(status.code(), Code::InvalidArgument);
            assert!(status.never_ran());
        }
    }

    unread(&Tagged::Wide { value: 7 });
    unread(&Untagged::Wide { value: 7 });
    unread(&Flat {
        inner: Inner { value: 7 },
    });
    let address = IpAddr::V6(Ipv6Addr::LOCALHOST);
    unread(&Address::Of { address });
    unread(&Address::Socket {
        address: SocketAddr::new(address, 80),
    });
}

/// serde does not write them.
#[test]
fn scope_and_flow_of_an_address_are_lost() {
    let address = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 7, 3);
    for sent in sent(&address) {
        let Sent::Arrived(arrived) = sent else {
            panic!("{sent:?}");
        };
        assert_eq!(arrived, SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 0, 0));
    }
}

/// What announces a length and writes another would shift all that follows.
#[test]
fn a_length_that_is_not_so_is_refused_at_its_sender() {
    use serde::ser::{SerializeMap as _, SerializeSeq as _, SerializeStruct as _};

    struct Lies(&'static str, usize);
    impl Serialize for Lies {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                "seq" => {
                    let mut seq = serializer.serialize_seq(Some(self.1))?;
                    seq.serialize_element(&1)?;
                    seq.end()
                }
                "map" => {
                    let mut map = serializer.serialize_map(Some(self.1))?;
                    map.serialize_entry(&1, &1)?;
                    map.end()
                }
                _ => {
                    let mut fields = serializer.serialize_struct("Lies", self.1)?;
                    fields.serialize_field("a", &1)?;
                    fields.end()
                }
            }
        }
    }

    for kind in ["seq", "map", "struct"] {
        for announced in [0, 2] {
            let lie = Lies(kind, announced);
            let error = doge_rpc_core::wire::encode(&lie, Default::default()).unwrap_err();
            assert!(error.to_string().contains("announces a length"), "{error}");
        }
        doge_rpc_core::wire::encode(&Lies(kind, 1), Default::default()).unwrap();
    }
}
