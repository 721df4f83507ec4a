use bytes::{BufMut as _, Bytes, BytesMut};

use super::{
    Message, MsgId, extent,
    meta::{self, Own},
    text,
};
use crate::{
    Status,
    call::{Request, Response},
    wire::array,
};

/// A call as a MessagePack-RPC server is asked it: `head`, and then `arguments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// All up to the arguments.
    pub head: Bytes,
    /// The arguments, as the request has them.
    pub arguments: Bytes,
}

/// How a call is written.
///
/// ```
/// use doge_rpc_core::msgpack_rpc::AskOptions;
///
/// let doge = AskOptions { meta: true, ..AskOptions::default() };
/// assert!(doge.framework_keys && !doge.qualified);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskOptions {
    /// A map of metadata comes in front of the params, as with doge from its repository. No.
    pub meta: bool,
    /// The map says to servers of this framework which service is called (`doge-service`) and how much time is left, as
    /// of now (`doge-timeout-ms`). Yes.
    pub framework_keys: bool,
    /// The method is written as `service/method`, which servers of this framework understand, and Python doge does not.
    /// No.
    pub qualified: bool,
}

impl Default for AskOptions {
    fn default() -> Self {
        Self {
            meta: false,
            framework_keys: true,
            qualified: false,
        }
    }
}

/// Writes a call, as the one with this number on its connection.
///
/// # Errors
///
/// `InvalidArgument` when its body is no array, or not that alone (nothing else says where the request ends), or nests
/// deeper or has more elements than values may.
pub fn ask(request: &Request, id: u32, options: AskOptions) -> Result<Asked, Status> {
    let (body, route) = (request.bytes(), request.route());
    let refused = |why: String| Status::invalid_argument(why).not_sent();
    extent::check(body).map_err(|misfit| refused(format!("{route}: the arguments: {misfit}")))?;
    let (count, values) = array(body).ok_or_else(|| {
        refused(format!(
            "{route}: the arguments are not a MessagePack array"
        ))
    })?;
    let mut head = BytesMut::with_capacity(64);
    head.put_slice(b"\x94\x00");
    MsgId::from(u64::from(id)).write(&mut head);
    if options.qualified {
        text::write(
            &mut head,
            &format!("{}/{}", route.service(), route.method()),
        );
    } else {
        text::write(&mut head, route.method());
    }
    if !options.meta {
        if meta::is_own(values) {
            return Err(refused(format!(
                "{route}: the first argument is a map with the key `doge-service` or `doge-timeout-ms`, and a server of \
                 this framework would take it for metadata: use other keys, or call through doge://"
            )));
        }
        let (head, arguments) = (head.freeze(), body.clone());
        return Ok(Asked { head, arguments });
    }
    // Nobody has four billion arguments, which would be as many bytes.
    let _ = rmp::encode::write_array_len(&mut (&mut head).writer(), count.saturating_add(1));
    let own = options.framework_keys.then(|| Own {
        service: route.service(),
        timeout: request.deadline().remaining(),
    });
    meta::write(&mut head, request.metadata(), own);
    Ok(Asked {
        head: head.freeze(),
        arguments: body.slice(body.len() - values.len()..),
    })
}

const NIL: u8 = 0xC0;

/// What a message is to the call that waits for its answer.
#[derive(Debug)]
pub enum Reply {
    /// The answer.
    Answer(Response),
    /// The answer, which is over a limit for values; why, and how much it is. The connection is as good as before.
    OverLimit(String),
    /// None, and nothing that was asked for: a second answer to an earlier call of the connection, or a notification.
    /// The answer may still come.
    Stray(&'static str),
    /// None; the connection has lost step, and each later answer on it would be that to another call.
    OutOfStep(String),
}

/// What a message says as the answer to the request of this number, before which there were those from 1 on.
pub fn answer(message: Message, asked: u32) -> Reply {
    let out_of_step = |why: &str| Reply::OutOfStep(why.into());
    match message {
        Message::Answer { id, error, result } if id == MsgId::from(u64::from(asked)) => {
            let value = if error[..] == [NIL] { &result } else { &error };
            if let Err(misfit) = extent::check(value) {
                return Reply::OverLimit(misfit.to_string());
            }
            // Python doge takes whatever is false for no error, and so an exception without a text for a result.
            Reply::Answer(if error[..] == [NIL] {
                Response::from_result(result)
            } else {
                let text = text::readable(&error);
                Response::from_foreign_error(error, text)
            })
        }
        Message::Answer { id, .. } if id.is_within(1..asked) => {
            Reply::Stray("a second answer to an earlier call")
        }
        Message::Answer { .. } => out_of_step("the answer is to another request"),
        Message::Request { .. } => out_of_step("a request came where an answer should"),
        Message::Notification { .. } | Message::InvalidNotification { .. } => {
            Reply::Stray("a notification")
        }
        Message::Invalid { why, .. } => Reply::OutOfStep(why),
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{super::Messages, AskOptions, Reply, answer, ask};
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

    fn with_meta(meta: bool) -> AskOptions {
        AskOptions {
            meta,
            ..AskOptions::default()
        }
    }

    fn written(request: &Request, id: u32, options: AskOptions) -> Vec<u8> {
        let asked = ask(request, id, options).unwrap();
        [asked.head, asked.arguments].concat()
    }

    fn said(bytes: &[u8], asked: u32) -> Reply {
        let mut bytes = BytesMut::from(bytes);
        let message = Messages::new(1 << 24).next(&mut bytes).unwrap().unwrap();
        answer(message, asked)
    }

    fn read(bytes: &[u8], asked: u32) -> Result<u32, Status> {
        match said(bytes, asked) {
            Reply::Answer(response) => response.decode(&Route::named("calculator", "sum").unwrap()),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_written_as_doge_writes_it_but_for_the_keys_of_the_framework() {
        let mut call = request(&(1, 2));
        let (meta, plain) = (with_meta(true), with_meta(false));
        assert_eq!(written(&call, 1, plain), b"\x94\x00\x01\xa3sum\x92\x01\x02");
        assert_eq!(
            written(&call, 256, meta),
            b"\x94\x00\xcd\x01\x00\xa3sum\x93\x82\xacdoge-service\xaacalculator\xafdoge-timeout-ms\xa41000\x01\x02"
        );
        let without_keys = AskOptions {
            framework_keys: false,
            ..meta
        };
        let as_doge = b"\x94\x00\x01\xa3sum\x93\x80\x01\x02";
        assert_eq!(written(&call, 1, without_keys), as_doge);
        let qualified = AskOptions {
            qualified: true,
            ..plain
        };
        let with_service = b"\x94\x00\x01\xaecalculator/sum\x92\x01\x02";
        assert_eq!(written(&call, 1, qualified), with_service);
        call.metadata_mut().insert("k", "v").unwrap();
        let with_metadata = written(&call, 1, meta);
        assert!(
            with_metadata.ends_with(b"\xa1k\xa1v\x01\x02"),
            "{with_metadata:02x?}"
        );
        assert_eq!(
            written(&request(&[(); 0]), 1, plain),
            b"\x94\x00\x01\xa3sum\x90"
        );
    }

    #[tokio::test]
    async fn arguments_that_are_no_array_or_over_a_limit_are_refused() {
        let route = Route::named("calculator", "sum").unwrap();
        let deadline = Deadline::after(Deadline::DEFAULT_TIMEOUT);
        let deep = [vec![0x91; 128], vec![0x90]].concat();
        for (body, why) in [
            (&b"\x07"[..], "not a MessagePack array"),
            (b"", "not one MessagePack value"),
            (b"\xc0", "not a MessagePack array"),
            (b"\x92\x01", "not one MessagePack value"),
            (b"\x91\x01\x02", "not one MessagePack value"),
            (&deep, "nested 129 levels deep"),
        ] {
            let request = Request::new(route.clone(), body.to_vec().into(), deadline);
            for meta in [true, false] {
                let refused = ask(&request, 1, with_meta(meta)).unwrap_err();
                assert_eq!(refused.code(), Code::InvalidArgument);
                assert!(refused.never_ran());
                assert!(refused.message().contains(why), "{refused}");
            }
        }
    }

    #[test]
    fn an_answer_is_a_result_or_an_error_even_one_without_a_text() {
        assert_eq!(read(b"\x94\x01\x01\xc0\x03", 1), Ok(3));
        for (error, text) in [
            (&b"\xa4boom"[..], "boom"),
            (b"\xa0", "an error without a text"),
            (b"\xc2", "false"),
            // As neovim has it; as a status it would be `Cancelled`.
            (b"\x92\x01\xa3bad", "[1, \"bad\"]"),
        ] {
            let bytes = [b"\x94\x01\x01", error, b"\xc0"].concat();
            assert_eq!(read(&bytes, 1), Err(Status::unknown(text)));
            let Reply::Answer(response) = said(&bytes, 1) else {
                panic!()
            };
            assert_eq!(response.error_value(), error);
        }
    }

    #[test]
    fn an_answer_over_a_limit_is_one_and_says_how_much_it_is() {
        let deep = [&b"\x94\x01\x01\xc0"[..], &[0x91; 999], b"\x90"].concat();
        let Reply::OverLimit(why) = said(&deep, 1) else {
            panic!()
        };
        assert_eq!(why, "nested 1000 levels deep, and at most 128 travel");
    }

    #[test]
    fn what_was_not_asked_for_is_passed_over_and_anything_else_has_lost_step() {
        for bytes in [
            &b"\x94\x01\x02\xc0\x03"[..],
            b"\x94\x01\x01\xa4boom\xc0",
            b"\x93\x02\xa1m\x90",
            b"\x93\x02\xc0\x90",
        ] {
            let said = said(bytes, 3);
            assert!(matches!(said, Reply::Stray(_)), "{bytes:02x?}: {said:?}");
        }
        for bytes in [
            &b"\x94\x01\x04\xc0\x03"[..],
            b"\x94\x01\x00\xc0\x03",
            b"\x94\x00\x01\xa1m\x90",
            b"\x94\x01\xff\xb0Invalid protocol\xc0",
            b"\x01",
        ] {
            let said = said(bytes, 3);
            assert!(
                matches!(said, Reply::OutOfStep(_)),
                "{bytes:02x?}: {said:?}"
            );
        }
    }
}
