//! One test body for every way to reach a service.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use doge_rpc::prelude::*;

#[service(name = "wirings.shelf")]
trait Shelf {
    async fn put(&self, name: String, text: String) -> Result<usize, ShelfError>;

    #[rpc(idempotent)]
    async fn read(&self, name: String) -> Result<String, ShelfError>;
}

#[derive(Debug, PartialEq, thiserror::Error, serde::Serialize, serde::Deserialize)]
enum ShelfError {
    #[error("{0:?} is taken")]
    Taken(String),
    #[error("there is no {0:?}")]
    Missing(String),
    #[error(transparent)]
    Status(#[from] Status),
}

#[derive(Clone, Default)]
struct Shelves(Arc<Mutex<BTreeMap<String, String>>>);

impl Shelf for Shelves {
    async fn put(&self, name: String, text: String) -> Result<usize, ShelfError> {
        let mut shelves = self.0.lock().unwrap();
        if shelves.contains_key(&name) {
            return Err(ShelfError::Taken(name));
        }
        shelves.insert(name, text);
        Ok(shelves.len())
    }

    async fn read(&self, name: String) -> Result<String, ShelfError> {
        let shelves = self.0.lock().unwrap();
        shelves.get(&name).cloned().ok_or(ShelfError::Missing(name))
    }
}

async fn what_is_put_once_can_be_read(shelf: impl Shelf) {
    for number in 1..=20 {
        let name = format!("book {number}");
        assert_eq!(shelf.put(name.clone(), "text".into()).await, Ok(number));
        let again = shelf.put(name.clone(), "other".into()).await;
        assert_eq!(again, Err(ShelfError::Taken(name.clone())));
        assert_eq!(shelf.read(name).await, Ok("text".into()));
    }
    let missing = shelf.read("another".into()).await;
    assert_eq!(missing, Err(ShelfError::Missing("another".into())));
}

doge_testing::in_every_wiring! {
    mod shelves {
        test: what_is_put_once_can_be_read,
        implementation: Shelves::default(),
        server: ShelfServer,
        client: ShelfClient,
    }
}
