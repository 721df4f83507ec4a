use std::{any::Any, fmt};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::{Body, Extensions, Route};
use crate::{
    Code, Metadata, Status,
    schema::{Encoding, MethodSchema},
    status::{capture, receive},
    wire::{self, DecodeError, EncodeError},
};

/// The answer of a handler: its result, or the application's own error. Cheap to clone.
#[derive(Clone)]
pub struct Response {
    body: Body,
    kind: Kind,
    metadata: Metadata,
    /// Boxed, since hardly any answer needs it.
    rare: Option<Box<Rare>>,
}

/// What the body is. As wide as a register: the other values tell a response from a status where it may be either, and a
/// narrow value with padding behind it is copied in pieces, which the processor cannot forward from its store buffer.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
enum Kind {
    Result,
    ApplicationError,
}

#[derive(Clone, Default)]
struct Rare {
    /// The text of the application's error, for peers that take errors as text only.
    text: Option<Text>,
    extensions: Extensions,
}

/// An error of the application as text.
#[derive(Clone)]
struct Text {
    text: String,
    /// The value that the peer sent, if any.
    value: Option<Bytes>,
}

impl Response {
    /// A response with an encoded result.
    pub fn from_result(body: Bytes) -> Self {
        Self {
            body: body.into(),
            kind: Kind::Result,
            metadata: Metadata::new(),
            rare: None,
        }
    }

    /// A response with an encoded error value of the application.
    pub fn from_error(body: Bytes) -> Self {
        Self {
            kind: Kind::ApplicationError,
            ..Self::from_result(body)
        }
    }

    /// A response with an application error that is known only by its message.
    pub fn from_text(text: impl Into<String>) -> Self {
        let text = text.into();
        let body = wire::encode(&text, Encoding::Map).unwrap_or_default();
        Self::from_error(body).with_text(text)
    }

    /// Sets the body, for a result followed by items.
    #[must_use]
    pub fn with_body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// A response with an error of an untyped peer: its value and its text. It decodes like an error that is known only
    /// by its message, since the value could match a type of the caller only by chance.
    pub fn from_foreign_error(value: Bytes, text: impl Into<String>) -> Self {
        let text = text.into();
        let mut response = Self::from_text(text.clone());
        response.rare.get_or_insert_default().text = Some(Text {
            text,
            value: Some(value),
        });
        response
    }

    /// Sets the text of the application's error, for peers that take errors as text only.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.rare.get_or_insert_default().text = Some(Text { text, value: None });
        self
    }

    /// Sets the metadata of the answer.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Encodes the result of a handler. An error that is a [`Status`] ends the call with that status: the error type is
    /// [`Status`] itself, or an enum with the status in the variant that `From<Status>` creates. Any other error
    /// travels as a value.
    ///
    /// # Errors
    ///
    /// The status that the handler returned, `ResourceExhausted` when the value is over a limit of bodies
    /// ([`wire::MAX_ELEMENTS`], [`wire::MAX_DEPTH`]), or `Internal` when it does not serialise.
    pub fn encode<T, E>(method: &MethodSchema, result: Result<T, E>) -> Result<Self, Status>
    where
        T: Serialize,
        E: Serialize + From<Status> + 'static,
    {
        match result {
            Ok(value) => wire::encode(&value, method.encoding()).map(Self::from_result),
            Err(error) => encode_error(error, method.encoding())?.map(Self::from_error),
        }
        .map_err(|error| {
            let code = failure(error.is_over_limit());
            let (service, method) = (method.service(), method.name());
            Status::new(code, format!("the answer of {service}/{method} {error}"))
        })
    }

    /// Like [`encode`](Self::encode), with the text of an error of the application, if known.
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
        E: Serialize + From<Status> + 'static,
    {
        let response = Self::encode(method, result)?;
        Ok(match text {
            Some(text) => response.with_text(text),
            None => response,
        })
    }

    /// Decodes the answer into the caller's types. An error known only by its text becomes the variant with that name
    /// and no fields, or else `Unknown` with the text.
    ///
    /// # Errors
    ///
    /// The application's error, or a status if the bytes do not fit the types: `ResourceExhausted` if they are over a
    /// limit of bodies (a conforming server never sends such a body), otherwise `Internal`.
    pub fn decode<T, E>(&self, route: &Route) -> Result<T, E>
    where
        T: DeserializeOwned,
        E: DeserializeOwned + From<Status>,
    {
        let received = |status: Status| E::from(status.received_from(route));
        let unreadable = |error: DecodeError| {
            let mend = match &error {
                DecodeError::Elements => ": page the list or split the call",
                DecodeError::Depth => ": flatten the value, or refer to parts of it by id",
                _ => "",
            };
            let why = format!("the answer of {route} cannot be read: {error}{mend}");
            received(Status::new(failure(error.is_over_limit()), why))
        };
        if self.is_application_error() {
            let error = receive(route, || wire::decode::<E>(self.bytes()));
            return Err(error.unwrap_or_else(|error| match self.text() {
                Some(text) => received(Status::unknown(text.to_owned())),
                None => unreadable(error),
            }));
        }
        wire::decode(self.bytes()).map_err(unreadable)
    }

    /// The body: the result or the error, optionally followed by items.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The bytes of the result or of the error.
    pub fn bytes(&self) -> &Bytes {
        self.body.bytes()
    }

    /// The metadata of the answer.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The metadata, mutable.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// Typed values that layers attach for the layers around them; they never leave the process.
    pub fn extensions(&self) -> &Extensions {
        static NONE: Extensions = Extensions::none();
        self.rare.as_ref().map_or(&NONE, |rare| &rare.extensions)
    }

    /// The typed values, mutable.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.rare.get_or_insert_default().extensions
    }

    /// The text of the application's error, if set.
    pub fn text(&self) -> Option<&str> {
        Some(&*self.rare.as_ref()?.text.as_ref()?.text)
    }

    /// The application's error as the peer sent it, as MessagePack.
    pub fn error_value(&self) -> &Bytes {
        let text = self.rare.as_ref().and_then(|rare| rare.text.as_ref());
        let value = text.and_then(|text| text.value.as_ref());
        value.unwrap_or(self.bytes())
    }

    /// Whether the body is the application's error.
    pub fn is_application_error(&self) -> bool {
        self.kind == Kind::ApplicationError
    }
}

/// Encodes an error that is not a status.
///
/// # Errors
///
/// The status in the error, if `From<Status>` of that status has the same bytes as the error.
fn encode_error<E: Serialize + From<Status> + 'static>(
    error: E,
    encoding: Encoding,
) -> Result<Result<Bytes, EncodeError>, Status> {
    // `E` is known when this is compiled, so one of the two branches is all that remains.
    if let Some(status) = (&error as &dyn Any).downcast_ref::<Status>() {
        return Err(status.clone().returned_by_handler());
    }
    let (written, status) = capture(|| wire::encode(&error, encoding));
    if let (Ok(written), Some(status)) = (&written, status) {
        let alone = wire::encode(&E::from(status.clone()), encoding);
        if alone.is_ok_and(|alone| alone == *written) {
            return Err(status.returned_by_handler());
        }
    }
    Ok(written)
}

/// The code of an answer that cannot be written or read.
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
            .field("body", &self.body)
            .field("application_error", &self.is_application_error())
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::{Deserialize, Serialize};

    use super::{Response, Route, wire};
    use crate::{
        Code, Status,
        schema::{Encoding, MethodSchema},
    };

    /// Error types whose `Status` variant is written in each way that serde has, and one that is no enum.
    macro_rules! errors {
        ($($name:ident $(#[$attribute:meta])*;)*) => {
            $(
                #[derive(Debug, PartialEq, Serialize, Deserialize)]
                $(#[$attribute])*
                enum $name {
                    NotFound { id: u8 },
                    Partial { done: u8, status: Status },
                    Status(Status),
                }

                impl From<Status> for $name {
                    fn from(status: Status) -> Self {
                        Self::Status(status)
                    }
                }

                impl Case for $name {
                    fn not_found() -> Self { Self::NotFound { id: 7 } }
                    fn partial(status: Status) -> Self { Self::Partial { done: 1, status } }
                }
            )*

            fn each(method: &MethodSchema) {
                $(check::<$name>(method);)*
            }
        };
    }

    errors! {
        External;
        Internal #[serde(tag = "type")];
        Adjacent #[serde(tag = "type", content = "content")];
        Untagged #[serde(untagged)];
    }

    /// A peer of another make may send a status as a value of the application.
    #[test]
    fn a_status_that_comes_as_a_value_is_passed_on_like_any_other() {
        #[derive(Debug, Serialize, Deserialize)]
        enum Trouble {
            Status(Status),
        }

        impl From<Status> for Trouble {
            fn from(status: Status) -> Self {
                Self::Status(status)
            }
        }

        let route = Route::named("inner", "get").unwrap();
        let away = Status::unavailable("away")
            .with_details(&b"secret"[..])
            .with_pushback(Duration::from_secs(60));
        let bare = wire::encode(&away, Encoding::Map).unwrap();
        let bare = Response::from_error(bare).decode::<u8, Status>(&route);
        let inside = wire::encode(&Trouble::Status(away), Encoding::Map).unwrap();
        let inside = Response::from_error(inside).decode::<u8, Trouble>(&route);
        let (Err(bare), Err(Trouble::Status(inside))) = (bare, inside) else {
            panic!("both are errors");
        };
        for status in [bare, inside] {
            let status = status.returned_by_handler();
            let expected = Status::unavailable("inner/get: away").with_passed_on(true);
            assert_eq!(status, expected);
        }
    }

    trait Case: Serialize + From<Status> + 'static {
        fn not_found() -> Self;
        fn partial(status: Status) -> Self;
    }

    fn check<E: Case>(method: &MethodSchema) {
        let away = || Status::unavailable("the database is away").with_details(&b"\x07"[..]);
        let encode = |error: E| Response::encode::<(), E>(method, Err(error));
        let status = encode(away().rejected().into()).unwrap_err();
        assert_eq!(status, away(), "the handler has run");
        for value in [E::not_found(), E::partial(away())] {
            assert!(encode(value).unwrap().is_application_error());
        }
    }

    #[test]
    fn a_status_in_its_variant_is_a_status_and_every_other_error_is_a_value() {
        static MAP: MethodSchema = MethodSchema::new("fake", "map", 0);
        each(&MAP);
    }

    #[test]
    fn an_error_that_says_more_than_its_status_is_a_value() {
        #[derive(Serialize)]
        struct Wrapped {
            status: Status,
            attempts: u8,
        }
        impl From<Status> for Wrapped {
            fn from(status: Status) -> Self {
                let attempts = 0;
                Self { status, attempts }
            }
        }
        static METHOD: MethodSchema = MethodSchema::new("fake", "get", 0);
        let encode = |attempts| {
            let status = Status::aborted("no");
            Response::encode::<(), _>(&METHOD, Err(Wrapped { status, attempts }))
        };
        assert!(encode(3).unwrap().is_application_error());
        assert_eq!(encode(0).unwrap_err().code(), Code::Aborted);
    }
}
