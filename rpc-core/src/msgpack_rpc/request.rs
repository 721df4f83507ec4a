use bytes::{BufMut as _, Bytes, BytesMut};

use super::{Message, MsgId, meta, text};
use crate::{
    Status,
    call::{Request, Response},
    wire::{array, value_len},
};

/// A call as a MessagePack-RPC server is asked it: `head`, and then `arguments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// All up to the arguments.
    pub head: Bytes,
    /// The arguments, as the request has them.
    pub arguments: Bytes,
}

/// Writes a call, as the one with this number on its connection. The service is not on the wire: a doge process serves
/// one. With `meta`, a map of metadata and the time left, as of now, comes in front of the params.
///
/// # Errors
///
/// `InvalidArgument` when its body is no array, or not that alone: nothing else says where the request ends.
pub fn ask(request: &Request, id: u32, meta: bool) -> Result<Asked, Status> {
    let body = request.bytes();
    let is_one = value_len(body) == Some(body.len());
    let Some((count, values)) = array(body).filter(|_| is_one) else {
        let why = "the arguments are not a MessagePack array";
        return Err(Status::invalid_argument(why).not_sent());
    };
    let mut head = BytesMut::with_capacity(64);
    head.put_slice(b"\x94\x00");
    MsgId::from(u64::from(id)).write(&mut head);
    text::write(&mut head, request.route().method());
    if !meta {
        let (head, arguments) = (head.freeze(), body.clone());
        return Ok(Asked { head, arguments });
    }
    // Nobody has four billion arguments, which would be as many bytes.
    let _ = rmp::encode::write_array_len(&mut (&mut head).writer(), count.saturating_add(1));
    meta::write(
        &mut head,
        request.metadata(),
        request.deadline().remaining(),
    );
    Ok(Asked {
        head: head.freeze(),
        arguments: body.slice(body.len() - values.len()..),
    })
}

const NIL: u8 = 0xC0;

/// What a message says as the answer to the request of this number.
///
/// # Errors
///
/// Why it is none: the connection has lost step, and each later answer on it would be that to another call.
pub fn answer(message: Message, asked: u32) -> Result<Response, String> {
    match message {
        Message::Answer { id, error, result } if id == MsgId::from(u64::from(asked)) => {
            // Python doge takes whatever is false for no error, and so an exception without a text for a result.
            Ok(if error[..] == [NIL] {
                Response::from_result(result)
            } else {
                Response::from_text(text::readable(&error))
            })
        }
        Message::Answer { .. } => Err("the answer is to another request".into()),
        Message::Request { .. } => Err("a request came where an answer should".into()),
        Message::Notification { .. } => Err("a notification came where an answer should".into()),
        Message::Invalid { why, .. } => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{super::Messages, answer, ask};
    use crate::{
        Code, Deadline, Status,
        call::{Request, Route},
        schema::Encoding,
        wire,
    };

    fn request(arguments: &impl serde::Serialize) -> Request {
        let body = wire::encode(arguments, Encoding::Map).unwrap();
        let route = Route::named("calculator", "sum").unwrap();
        Request::new(route, body, Deadline::after(Deadline::DEFAULT_TIMEOUT))
    }

    fn written(request: &Request, id: u32, meta: bool) -> Vec<u8> {
        let asked = ask(request, id, meta).unwrap();
        [asked.head, asked.arguments].concat()
    }

    fn read(bytes: &[u8], asked: u32) -> Result<Result<u32, Status>, String> {
        let mut bytes = BytesMut::from(bytes);
        let message = Messages::new(1024).next(&mut bytes).unwrap().unwrap();
        let route = Route::named("calculator", "sum").unwrap();
        Ok(answer(message, asked)?.decode(&route))
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_written_as_doge_writes_it_but_for_the_time_that_is_left() {
        let mut call = request(&(1, 2));
        assert_eq!(written(&call, 1, false), b"\x94\x00\x01\xa3sum\x92\x01\x02");
        assert_eq!(
            written(&call, 256, true),
            b"\x94\x00\xcd\x01\x00\xa3sum\x93\x81\xafdoge-timeout-ms\xa41000\x01\x02"
        );
        call.metadata_mut().insert("k", "v").unwrap();
        let with_metadata = written(&call, 1, true);
        assert!(
            with_metadata.ends_with(b"\xa1k\xa1v\x01\x02"),
            "{with_metadata:02x?}"
        );
        assert_eq!(
            written(&request(&[(); 0]), 1, false),
            b"\x94\x00\x01\xa3sum\x90"
        );
    }

    #[tokio::test]
    async fn arguments_that_are_no_array_are_refused() {
        let route = Route::named("calculator", "sum").unwrap();
        let deadline = Deadline::after(Deadline::DEFAULT_TIMEOUT);
        for body in [&b"\x07"[..], b"", b"\xc0", b"\x92\x01", b"\x91\x01\x02"] {
            let request = Request::new(route.clone(), body.into(), deadline);
            for meta in [true, false] {
                let refused = ask(&request, 1, meta).unwrap_err();
                assert_eq!(refused.code(), Code::InvalidArgument);
                assert!(refused.never_ran());
            }
        }
    }

    #[test]
    fn an_answer_is_a_result_or_an_error_even_one_without_a_text() {
        assert_eq!(read(b"\x94\x01\x01\xc0\x03", 1), Ok(Ok(3)));
        for (error, text) in [
            (&b"\xa4boom"[..], "boom"),
            (b"\xa0", "an error without a text"),
            (b"\xc2", "false"),
        ] {
            let bytes = [b"\x94\x01\x01", error, b"\xc0"].concat();
            assert_eq!(read(&bytes, 1), Ok(Err(Status::unknown(text))));
        }
    }

    #[test]
    fn whatever_else_comes_has_lost_step() {
        for bytes in [
            &b"\x94\x01\x02\xc0\x03"[..],
            b"\x94\x00\x01\xa1m\x90",
            b"\x93\x02\xa1m\x90",
            b"\x94\x01\xff\xb0Invalid protocol\xc0",
            b"\x01",
        ] {
            assert!(read(bytes, 1).is_err(), "{bytes:02x?}");
        }
    }
}
