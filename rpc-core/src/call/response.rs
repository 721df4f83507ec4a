use std::{any::Any, fmt};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Code, Metadata, Status,
    schema::{Encoding, MethodSchema},
    wire::{self, DecodeError},
};

/// The answer of a handler: its result, or the application's own error.
#[derive(Clone)]
pub struct Response {
    body: Bytes,
    application_error: bool,
    /// The application's error for peers that know errors as text only. Thin, since hardly any answer has one.
    #[expect(clippy::box_collection, reason = "a boxed str is twice as wide")]
    text: Option<Box<String>>,
    /// Keys and values beside the answer.
    pub metadata: Metadata,
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

    /// Says what the application's error reads like, for peers that know errors as text only.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(Box::new(text.into()));
        self
    }

    /// What a handler returned. An error that is a plain [`Status`] becomes the status of the call; an error type
    /// of the application travels as a value.
    ///
    /// # Errors
    ///
    /// The status that the handler returned, `ResourceExhausted` when the value is over a limit of bodies
    /// ([`wire::MAX_ELEMENTS`], [`wire::MAX_DEPTH`]), or `Internal` when it does not serialise.
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
            let code = failure(error.is_over_limit());
            let (service, method) = (method.service(), method.name());
            Status::new(code, format!("the answer of {service}/{method} {error}"))
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
        response.text = text.map(Box::new);
        Ok(response)
    }

    /// The answer as the caller's types have it. Of an error that is known as text only, a variant of that name and
    /// without fields, and otherwise `Unknown` with the text.
    ///
    /// # Errors
    ///
    /// The application's error, or a status as one when the bytes do not fit the types: `ResourceExhausted` when they
    /// are over a limit of bodies, which a server that keeps the limits does not send, and otherwise `Internal`.
    pub fn decode<T, E>(&self) -> Result<T, E>
    where
        T: DeserializeOwned,
        E: DeserializeOwned + From<Status>,
    {
        let unreadable = |error: DecodeError| {
            let mend = match &error {
                DecodeError::Elements => ": page the list or split the call",
                DecodeError::Depth => ": flatten the value, or refer to parts of it by id",
                _ => "",
            };
            E::from(Status::new(
                failure(error.is_over_limit()),
                format!("the answer cannot be read: {error}{mend}"),
            ))
        };
        if self.application_error {
            return Err(
                wire::decode::<E>(&self.body).unwrap_or_else(|error| match &self.text {
                    Some(text) => E::from(Status::unknown(text.to_string())),
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
        self.text.as_deref().map(String::as_str)
    }

    /// Whether the body is the application's error.
    pub fn is_application_error(&self) -> bool {
        self.application_error
    }
}

/// Of an answer that cannot be written or read.
fn failure(over_limit: bool) -> Code {
    if over_limit {
        Code::ResourceExhausted
    } else {
        Code::Internal
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
