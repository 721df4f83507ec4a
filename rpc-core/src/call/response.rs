use std::{any::Any, fmt};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Metadata, Status,
    schema::{Encoding, MethodSchema},
    wire::{self, DecodeError},
};

/// The answer of a handler: its result, or the application's own error.
#[derive(Clone)]
pub struct Response {
    body: Bytes,
    application_error: bool,
    /// The application's error for peers that know errors as text only. Boxed, since hardly any answer has one.
    text: Option<Box<Text>>,
    /// Keys and values beside the answer.
    pub metadata: Metadata,
}

/// What an error of the application reads like.
#[derive(Clone)]
struct Text {
    text: String,
    /// The value that it was made of, where the peer sent one.
    value: Option<Bytes>,
}

impl Response {
    /// A result, encoded already.
    pub fn from_result(body: Bytes) -> Self {
        Self {
            body,
            application_error: false,
            text: None,
            metadata: Metadata::new(),
        }
    }

    /// An error value of the application, encoded already.
    pub fn from_error(body: Bytes) -> Self {
        Self {
            body,
            application_error: true,
            text: None,
            metadata: Metadata::new(),
        }
    }

    /// An error of the application of which no more is known than its text.
    pub fn from_text(text: impl Into<String>) -> Self {
        let text = text.into();
        let body = wire::encode(&text, Encoding::Map).unwrap_or_default();
        Self::from_error(body).with_text(text)
    }

    /// An error of a peer that knows no types, as the value that it sent and what that reads like. It decodes as one that
    /// is known by its text: that the value fits a type of the caller would be chance.
    pub fn from_foreign_error(value: Bytes, text: impl Into<String>) -> Self {
        let text = text.into();
        let mut response = Self::from_text(text.clone());
        response.text = Some(Box::new(Text {
            text,
            value: Some(value),
        }));
        response
    }

    /// Says what the application's error reads like, for peers that know errors as text only.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.text = Some(Box::new(Text { text, value: None }));
        self
    }

    /// What a handler returned. An error that is a plain [`Status`] becomes the status of the call; an error type
    /// of the application travels as a value.
    ///
    /// # Errors
    ///
    /// The status that the handler returned, or `Internal` when the value does not serialise.
    pub fn encode<T, E>(method: &MethodSchema, result: Result<T, E>) -> Result<Self, Status>
    where
        T: Serialize,
        E: Serialize + 'static,
    {
        match result {
            Ok(value) => wire::encode(&value, method.encoding()).map(Self::from_result),
            Err(error) => {
                // `E` is known when this is compiled, so one of the two branches is all that remains.
                if let Some(status) = (&error as &dyn Any).downcast_ref::<Status>() {
                    return Err(status.clone().with_never_ran(false));
                }
                wire::encode(&error, method.encoding()).map(Self::from_error)
            }
        }
        .map_err(|error| {
            Status::internal(format!(
                "the answer of {}/{}: {error}",
                method.service(),
                method.name()
            ))
        })
    }

    /// The same, with what an error of the application reads like, if that is known.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    pub fn encode_with_text<T, E>(
        method: &MethodSchema,
        result: Result<T, E>,
        text: Option<String>,
    ) -> Result<Self, Status>
    where
        T: Serialize,
        E: Serialize + 'static,
    {
        let mut response = Self::encode(method, result)?;
        response.text = text.map(|text| Box::new(Text { text, value: None }));
        Ok(response)
    }

    /// The answer as the caller's types have it. Of an error that is known as text only, a variant of that name and
    /// without fields, and otherwise `Unknown` with the text.
    ///
    /// # Errors
    ///
    /// The application's error, or a status as one when the bytes do not fit the types.
    pub fn decode<T, E>(&self) -> Result<T, E>
    where
        T: DeserializeOwned,
        E: DeserializeOwned + From<Status>,
    {
        let unreadable = |error: DecodeError| {
            E::from(Status::internal(format!(
                "the answer cannot be read: {error}"
            )))
        };
        if self.application_error {
            return Err(
                wire::decode::<E>(&self.body).unwrap_or_else(|error| match &self.text {
                    Some(text) => E::from(Status::unknown(text.text.clone())),
                    None => unreadable(error),
                }),
            );
        }
        wire::decode(&self.body).map_err(unreadable)
    }

    /// The bytes of the result or of the error.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// What the application's error reads like, if it was said.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref().map(|text| &*text.text)
    }

    /// The application's error as the peer sent it, as MessagePack.
    pub fn error_value(&self) -> &Bytes {
        let value = self.text.as_ref().and_then(|text| text.value.as_ref());
        value.unwrap_or(&self.body)
    }

    /// Whether the body is the application's error.
    pub fn is_application_error(&self) -> bool {
        self.application_error
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("application_error", &self.application_error)
            .field("metadata", &self.metadata)
            .finish()
    }
}
