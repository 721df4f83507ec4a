use serde::de::DeserializeOwned;

use super::{DecodeError, deserializer::Deserializer, scan};
use crate::{Status, call::Route};

/// The arguments of a call, taken one by one in the order of the method.
///
/// A caller of another version may send fewer, which defaults fill, or more, which are not looked at.
#[derive(Debug)]
pub struct Arguments<'a> {
    route: &'a Route,
    reader: Deserializer<'a>,
    left: usize,
}

impl<'a> Arguments<'a> {
    /// Opens a body.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when it is not an array, or claims what its bytes cannot hold.
    pub(crate) fn new(route: &'a Route, body: &'a [u8]) -> Result<Self, Status> {
        let mut reader = Deserializer::new(body);
        let left = reader.array().map_err(|error| match error.cause() {
            DecodeError::Type(_) | DecodeError::Truncated => refused(
                route,
                format_args!("the arguments are not a MessagePack array"),
            ),
            error => refused(route, format_args!("the arguments cannot be read: {error}")),
        })?;
        Ok(Self {
            route,
            reader,
            left,
        })
    }

    /// Takes the next argument.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when it is missing or of another type; the message names it.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, Status> {
        if self.left == 0 {
            return Err(refused(
                self.route,
                format_args!("argument `{name}` is missing"),
            ));
        }
        self.next(name)
    }

    /// Takes the next argument, or makes it up when the caller does not know it.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when it is there and of another type; the message names it.
    pub fn take_or_else<T: DeserializeOwned>(
        &mut self,
        name: &str,
        default: impl FnOnce() -> T,
    ) -> Result<T, Status> {
        if self.left == 0 {
            return Ok(default());
        }
        self.next(name)
    }

    fn next<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, Status> {
        self.left -= 1;
        T::deserialize(&mut self.reader)
            .map_err(|error| refused(self.route, format_args!("argument `{name}`: {error}")))
    }
}

fn refused(route: &Route, why: std::fmt::Arguments<'_>) -> Status {
    Status::invalid_argument(format!("{route}: {why}")).rejected()
}

/// The bytes of the argument at this place, without a look inside the others.
pub(crate) fn raw_argument(body: &[u8], place: usize) -> Option<&[u8]> {
    let (count, mut rest) = array(body)?;
    if place >= count as usize {
        return None;
    }
    for _ in 0..place {
        rest = rest.get(scan::value_len(rest)?..)?;
    }
    rest.get(..scan::value_len(rest)?)
}

/// Length of the array at the front, and what follows its head.
pub(crate) fn array(body: &[u8]) -> Option<(u32, &[u8])> {
    match body {
        [head @ 0x90..=0x9F, rest @ ..] => Some((u32::from(head & 0x0F), rest)),
        [0xDC, a, b, rest @ ..] => Some((u32::from(u16::from_be_bytes([*a, *b])), rest)),
        [0xDD, a, b, c, d, rest @ ..] => Some((u32::from_be_bytes([*a, *b, *c, *d]), rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, raw_argument};
    use crate::{Code, call::Route};

    #[test]
    fn arguments_come_in_order_and_errors_name_them() {
        let route = Route::named("t", "m").unwrap();
        let mut arguments = Arguments::new(&route, b"\x92\x01\xa2hi").unwrap();
        assert_eq!(arguments.take::<u8>("count").unwrap(), 1);
        let error = arguments.take::<u8>("name").unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(
            error.message().starts_with("t/m: argument `name`: "),
            "{error}"
        );
    }

    #[test]
    fn missing_arguments_are_named_or_made_up() {
        let route = Route::named("t", "m").unwrap();
        let mut arguments = Arguments::new(&route, b"\x91\x01").unwrap();
        arguments.take::<u8>("first").unwrap();
        assert_eq!(arguments.take_or_else("second", || 7).unwrap(), 7);
        let error = arguments.take::<u8>("third").unwrap_err();
        assert_eq!(error.message(), "t/m: argument `third` is missing");
    }

    #[test]
    fn an_argument_is_found_as_the_bytes_it_is() {
        let body = b"\x93\x92\x01\xa2hi\x81\xa1k\xc0\xcd\x01\x00";
        assert_eq!(raw_argument(body, 0), Some(&b"\x92\x01\xa2hi"[..]));
        assert_eq!(raw_argument(body, 1), Some(&b"\x81\xa1k\xc0"[..]));
        assert_eq!(raw_argument(body, 2), Some(&b"\xcd\x01\x00"[..]));
        assert_eq!(raw_argument(body, 3), None);
        for end in 0..body.len() {
            assert_eq!(raw_argument(&body[..end], 2), None, "cut at {end}");
        }
    }

    #[test]
    fn what_is_no_array_is_refused() {
        let route = Route::named("t", "m").unwrap();
        for body in [&b""[..], b"\xc0", b"\x80", b"\xdc\x00", b"\xdd\x00\x00"] {
            assert_eq!(
                Arguments::new(&route, body).unwrap_err().code(),
                Code::InvalidArgument,
                "{body:02x?}"
            );
        }
    }
}
