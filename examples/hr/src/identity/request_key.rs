use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

const LONGEST: usize = 64;

/// What a client calls one request of its own, so that the same request made twice is done once.
///
/// Made anew for each thing that is wanted, kept for its repetitions; 1 to 64 visible ASCII characters.
///
/// ```
/// use hr::identity::RequestKey;
///
/// assert_ne!(RequestKey::random(), RequestKey::random());
/// assert!("hire of 2026-04-01/17".parse::<RequestKey>().is_err(), "blanks are not visible");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestKey(String);

impl RequestKey {
    /// A key that nobody else has.
    #[must_use]
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is no request key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no request key; use 1 to {LONGEST} visible ASCII characters, such as a UUID")]
pub struct InvalidRequestKey(String);

impl TryFrom<String> for RequestKey {
    type Error = InvalidRequestKey;

    fn try_from(text: String) -> Result<Self, InvalidRequestKey> {
        let fits = (1..=LONGEST).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text))
        } else {
            Err(InvalidRequestKey(text))
        }
    }
}

impl FromStr for RequestKey {
    type Err = InvalidRequestKey;

    fn from_str(text: &str) -> Result<Self, InvalidRequestKey> {
        text.to_owned().try_into()
    }
}

impl From<RequestKey> for String {
    fn from(key: RequestKey) -> Self {
        key.0
    }
}

impl fmt::Display for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
