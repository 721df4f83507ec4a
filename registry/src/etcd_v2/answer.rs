//! What etcd answers, in JSON, as far as it matters here: all else is passed over, however deep it is nested.

use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::failure::{Failure, Reason};

/// The most keys that are taken for one service. Fleets have thousands of instances and not tens of them.
pub(super) const MOST_NODES: usize = 16 * 1024;

/// Something that happened to a key.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) action: Action,
    pub(super) node: Node,
}

/// What it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Action {
    Set,
    Create,
    Update,
    CompareAndSwap,
    Delete,
    CompareAndDelete,
    Expire,
    Get,
    #[serde(other)]
    Other,
}

impl Action {
    /// Whether the key is gone after it.
    pub(super) fn removes(self) -> bool {
        matches!(self, Self::Delete | Self::CompareAndDelete | Self::Expire)
    }
}

/// A key, and its value if it is no directory.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Node {
    #[serde(default)]
    pub(super) key: String,
    pub(super) value: Option<String>,
    #[serde(default)]
    pub(super) dir: bool,
    /// When it last changed, refreshed counted in.
    #[serde(default, rename = "modifiedIndex")]
    pub(super) index: u64,
}

/// The keys in a directory.
#[derive(Debug, Deserialize)]
#[serde(from = "Listed")]
pub(super) struct Directory {
    /// None if there are more than [`MOST_NODES`].
    pub(super) nodes: Option<Vec<Node>>,
}

/// Reads an answer.
pub(super) fn read<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        Failure::new(
            Reason::Member,
            format!("its answer cannot be read: {error}"),
        )
    })
}

#[derive(Deserialize)]
struct Listed {
    node: Parent,
}

#[derive(Deserialize)]
struct Parent {
    #[serde(default = "none", deserialize_with = "few")]
    nodes: Option<Vec<Node>>,
}

/// What is not said of a directory is that it has any.
#[expect(clippy::unnecessary_wraps, reason = "as `few` has it")]
fn none() -> Option<Vec<Node>> {
    Some(Vec::new())
}

impl From<Listed> for Directory {
    fn from(listed: Listed) -> Self {
        Self {
            nodes: listed.node.nodes,
        }
    }
}

/// A node takes more memory than the two bytes of text that may stand for it, so that a limit for the text is not
/// enough.
fn few<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Node>>, D::Error> {
    struct Few;

    impl<'de> Visitor<'de> for Few {
        type Value = Option<Vec<Node>>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("keys")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
            let mut nodes = Vec::new();
            while nodes.len() < MOST_NODES {
                match sequence.next_element()? {
                    Some(node) => nodes.push(node),
                    None => return Ok(Some(nodes)),
                }
            }
            let mut more = false;
            while sequence.next_element::<IgnoredAny>()?.is_some() {
                more = true;
            }
            Ok((!more).then_some(nodes))
        }
    }

    deserializer.deserialize_seq(Few)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_etcd_tells_it() {
        let event: Event = read(
            br#"{"action":"expire","node":{"key":"/doge/rpc/s/n","modifiedIndex":6,"createdIndex":4},"prevNode":{"key":"/doge/rpc/s/n","value":"127.0.0.1:1"}}"#,
        )
        .unwrap();
        assert!(event.action.removes());
        assert_eq!(
            (event.node.key.as_str(), event.node.index),
            ("/doge/rpc/s/n", 6)
        );
        let event: Event = read(
            br#"{"action":"compareAndSwap","node":{"key":"/a","value":"b:1","ttl":3,"modifiedIndex":7}}"#,
        )
        .unwrap();
        assert_eq!(event.action, Action::CompareAndSwap);
        assert_eq!(event.node.value.as_deref(), Some("b:1"));
        let event: Event = read(br#"{"action":"dance","node":{"dir":true}}"#).unwrap();
        assert!(event.action == Action::Other && event.node.dir);
    }

    #[test]
    fn a_directory_is_read_without_what_lies_deeper() {
        let directory: Directory = read(
            br#"{"action":"get","node":{"key":"/s","dir":true,"nodes":[{"key":"/s/n","value":"a:1","modifiedIndex":5},{"key":"/s/d","dir":true,"nodes":[{"key":"/s/d/x","value":"b:1"}]}],"modifiedIndex":4}}"#,
        )
        .unwrap();
        let keys: Vec<&str> = directory
            .nodes
            .iter()
            .flatten()
            .map(|node| node.key.as_str())
            .collect();
        assert_eq!(keys, ["/s/n", "/s/d"]);
        let empty: Directory = read(br#"{"node":{"key":"/s","dir":true}}"#).unwrap();
        assert!(empty.nodes.unwrap().is_empty());
        let value: Directory = read(br#"{"node":{"key":"/s","value":"a:1"}}"#).unwrap();
        assert!(value.nodes.unwrap().is_empty());
    }

    #[test]
    fn what_is_no_answer_is_a_failure() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for body in ["", "{", "[]", "null", r#"{"node":{"nodes":3}}"#, &deep] {
            assert!(read::<Directory>(body.as_bytes()).is_err(), "{body:.40}");
            assert!(read::<Event>(body.as_bytes()).is_err(), "{body:.40}");
        }
        let deep_within = format!(r#"{{"node":{{"x":{deep}}}}}"#);
        assert!(read::<Directory>(deep_within.as_bytes()).is_ok());
    }

    #[test]
    fn keys_are_counted() {
        let listed = |count: usize| {
            format!(
                r#"{{"node":{{"nodes":[{}]}}}}"#,
                vec!["{}"; count].join(",")
            )
        };
        let nodes = |count| read::<Directory>(listed(count).as_bytes()).unwrap().nodes;
        assert_eq!(nodes(MOST_NODES).unwrap().len(), MOST_NODES);
        assert!(nodes(MOST_NODES + 1).is_none());
        assert!(nodes(2 * MOST_NODES).is_none());
    }
}
