use std::{marker::PhantomData, time::Duration};

use tokio::time::Instant;

use super::{
    Call, Message, Messages, MetaMap, MsgId, Options,
    arity::{Reading, Shown, Sign},
    extent,
    meta::{self, Meta},
    order::{Answer, Order},
    text,
};
use crate::{
    Deadline, Status,
    call::{Attempt, Response},
    connection::{
        HasOutbox, Incoming, Limits, Methods, Outbox, Overdue, Refused, Running, ServerEvent,
        Serving,
    },
    observe::RefusalReason,
    protocol::{Reason, Violation},
    schema::MethodSchema,
};

/// The serving end of a connection to a MessagePack-RPC peer: each request gets exactly one answer, in the order of the
/// requests, whatever is wrong with it; a notification gets none.
///
/// `R` is what a method resolves to; `T` is a handle that stops a handler which runs on.
#[derive(Debug)]
pub struct ServerConnection<R, T> {
    limits: Limits,
    options: Options,
    outbox: Outbox,
    order: Order,
    running: Running<T>,
    notifications: u64,
    /// What the calls of this connection have shown about their meta map.
    shown: Shown,
    /// Whether it was logged that a meta map has more than metadata may.
    told_of_excess: bool,
    /// The message that is there in part.
    partial: Option<Partial>,
    heard: Instant,
    going_away: bool,
    drained: bool,
    /// The next look when there is nothing to look for.
    idle: Instant,
    route: PhantomData<fn() -> R>,
}

/// A message of which the rest is still to come.
#[derive(Debug)]
struct Partial {
    /// The moment by which the rest has to be there.
    until: Instant,
    /// Bytes that had come when it was last seen to grow, and when that was.
    bytes: usize,
    grown: Instant,
}

impl Partial {
    /// Whether a drain need not wait for it any more.
    fn is_stalled(&self, now: Instant) -> bool {
        self.grown + STALLED <= now
    }
}

/// A message that grows by less than [`LEAST_GROWTH`] bytes in this time holds up no drain.
const STALLED: Duration = Duration::from_secs(1);

/// So slow is no link that a call is made over.
const LEAST_GROWTH: usize = 16 * 1024;

/// Calls that want no answer are counted apart.
const NOTIFICATION: u64 = 1 << 63;

/// How quiet a connection has to be before a drain closes it. The peer cannot be told to call elsewhere: it learns that
/// from the registry, and until then goes on calling.
const QUIET: Duration = Duration::from_millis(300);

/// Nothing is due on an idle connection, which may be so for days; it is looked at all the same.
const IDLE: Duration = Duration::from_secs(3600);

impl<R, T> ServerConnection<R, T> {
    /// A fresh connection.
    pub fn new(limits: Limits, options: Options, now: Instant) -> Self {
        Self {
            limits,
            options,
            outbox: Outbox::default(),
            order: Order::default(),
            running: Running::default(),
            notifications: 0,
            shown: Shown::default(),
            told_of_excess: false,
            partial: None,
            heard: now,
            going_away: false,
            drained: false,
            idle: now + IDLE,
            route: PhantomData,
        }
    }

    fn call(
        &mut self,
        number: u64,
        call: Call,
        now: Instant,
        methods: &impl Methods<R>,
    ) -> ServerEvent<R, T> {
        let first = call.first().filter(|_| self.may_have_meta());
        let service = first.and_then(meta::service);
        let (route, schema) = methods.spelt(service, call.method());
        let Reading { has_meta, shows } = self.read(&call, schema);
        let (meta, body) = if has_meta {
            let meta = meta::read(call.first().unwrap_or_default());
            self.tell_of_excess(&meta);
            (meta, call.into_params_after_first())
        } else {
            (Meta::default(), call.into_params())
        };
        let timeout = meta
            .timeout
            .or_else(|| schema.and_then(MethodSchema::timeout))
            .unwrap_or(self.options.timeout);
        if timeout.is_zero() {
            let status = Status::deadline_exceeded("the deadline had passed when the call came");
            let reason = RefusalReason::Late;
            return self.refuse_call(number, &status, Some(route), body.len(), reason);
        }
        ServerEvent::Call(Incoming {
            id: Sign::tag(shows, number),
            route,
            body,
            deadline: Deadline::new(now, timeout),
            metadata: meta.metadata,
            attempt: Attempt::default(),
            wants_text: true,
        })
    }

    /// Answers a call that does not run.
    fn refuse_call(
        &mut self,
        number: u64,
        status: &Status,
        route: Option<R>,
        request_bytes: usize,
        reason: RefusalReason,
    ) -> ServerEvent<R, T> {
        self.put(number, Answer::Error(text::of_status(status)));
        ServerEvent::Refused(Refused {
            route,
            attempt: Attempt::default(),
            request_bytes,
            reason,
        })
    }

    /// Whether what a map says of itself may be believed: that it is a meta map of this framework.
    fn may_have_meta(&self) -> bool {
        match self.options.meta {
            MetaMap::Always => true,
            MetaMap::ByArity => self.shown.may_have_meta(),
            MetaMap::Never => false,
        }
    }

    /// Whether the first param is a meta map, and what a good call shows with that.
    fn read(&self, call: &Call, schema: Option<&MethodSchema>) -> Reading {
        let has_meta = match (self.options.meta, schema) {
            (MetaMap::ByArity, Some(schema)) => return self.shown.read(call, schema),
            (MetaMap::Always, _) => call.count() > 0,
            (MetaMap::Never, _) => false,
            (MetaMap::ByArity, None) => {
                self.may_have_meta() && call.first().is_some_and(meta::is_own)
            }
        };
        Reading {
            has_meta,
            shows: None,
        }
    }

    /// Logs once for the connection that some of a meta map is not among the metadata.
    fn tell_of_excess(&mut self, meta: &Meta) {
        if meta.left_out > 0 && !std::mem::replace(&mut self.told_of_excess, true) {
            tracing::warn!(
                left_out = meta.left_out,
                "the meta map of a call has more entries or bytes than metadata may have; the call goes on without the \
                 rest, and further calls of this connection without a word"
            );
        }
    }

    /// Whether something is under way that a drain waits for. While the peer does not take its answers, what it sends
    /// may not be read, and is not to be cut off.
    fn is_in_use(&self, now: Instant) -> bool {
        let answers = self.outbox.unwritten() > 0 || !self.order.is_empty();
        let comes = self.partial.as_ref().is_some_and(|it| !it.is_stalled(now));
        answers || comes || !self.running.is_empty()
    }

    /// Puts an answer in its place; a notification has none.
    fn put(&mut self, number: u64, answer: Answer) {
        if number & NOTIFICATION == 0 {
            self.order.answer(number, answer, &mut self.outbox);
        } else if let Answer::Error(error) = answer {
            tracing::debug!(error, "notification failed (notifications get no answer)");
        }
    }
}

impl<R, T: Clone> Serving<R, T> for ServerConnection<R, T> {
    type Decoder = Messages;

    fn take(
        &mut self,
        message: Message,
        now: Instant,
        methods: &impl Methods<R>,
    ) -> Result<ServerEvent<R, T>, Violation> {
        let (number, call) = match message {
            Message::Request { id, call } => (self.order.enter(id), call),
            Message::Notification { call } => {
                self.notifications += 1;
                (NOTIFICATION | self.notifications, call)
            }
            Message::InvalidNotification { why } => {
                tracing::debug!(why, "invalid notification (notifications get no answer)");
                return Ok(ServerEvent::None);
            }
            Message::Invalid { id, why } => {
                let number = self.order.enter(id.unwrap_or(MsgId::NONE));
                let (status, reason) = (Status::invalid_argument(why), RefusalReason::Malformed);
                return Ok(self.refuse_call(number, &status, None, 0, reason));
            }
            Message::Answer { .. } => {
                return Err(Violation::Unexpected("an answer from the client"));
            }
        };
        Ok(self.call(number, call, now, methods))
    }

    fn has_room(&self, taken: usize) -> bool {
        // Calls that find no room wait, for which one has to run.
        self.running.len() + taken < self.limits.max_calls.max(1) as usize
    }

    fn running(&self) -> &Running<T> {
        &self.running
    }

    fn running_mut(&mut self) -> &mut Running<T> {
        &mut self.running
    }

    /// Metadata of the answer has no place in this dialect.
    fn answer(&mut self, call: u64, answer: &Result<Response, Status>) -> Option<Status> {
        let (sign, number) = Sign::untag(call);
        let mut replaced = None;
        let answer = match answer {
            Ok(response) if response.body().has_items() => {
                let status = Status::unimplemented("items of an answer do not travel yet");
                Answer::Error(text::of_status(replaced.insert(status)))
            }
            Ok(response) if response.is_application_error() => {
                Answer::Error(match response.text() {
                    Some(text) if !text.is_empty() => text.to_owned(),
                    _ => text::readable(response.bytes()),
                })
            }
            // Nothing else says where an answer ends: an answer that is not one value would take part of the next with it.
            Ok(response) => match extent::check(response.bytes()) {
                Ok(()) => Answer::Result(response.bytes().clone()),
                Err(misfit) => {
                    let status = Status::internal(format!("the result cannot be sent: {misfit}"));
                    Answer::Error(text::of_status(replaced.insert(status)))
                }
            },
            Err(status) => Answer::Error(text::of_status(status)),
        };
        if let (Answer::Result(_), Some(sign)) = (&answer, sign) {
            self.shown.note(sign);
        }
        self.put(number, answer);
        replaced
    }

    fn tick(&mut self, now: Instant) -> Result<Vec<Overdue<T>>, Violation> {
        if self.partial.as_ref().is_some_and(|it| it.until <= now) {
            return Err(Violation::TooSlow("a message"));
        }
        self.idle = now + IDLE;
        let overdue = self.running.overdue(now);
        if self.going_away && self.heard + QUIET <= now {
            if self.is_in_use(now) {
                self.heard = now;
            } else {
                self.drained = true;
            }
        }
        Ok(overdue)
    }

    fn next_tick(&self) -> Instant {
        let quiet = (self.going_away && !self.drained).then(|| self.heard + QUIET);
        self.running
            .sweep()
            .into_iter()
            .chain(self.partial.as_ref().map(|it| it.until))
            .chain(quiet)
            .fold(self.idle, Instant::min)
    }

    fn was_read(&mut self, now: Instant) {
        self.heard = now;
    }

    fn partial(&mut self, bytes: Option<usize>, fresh: bool, now: Instant) {
        let Some(bytes) = bytes else {
            self.partial = None;
            return;
        };
        match &mut self.partial {
            Some(known) if !fresh => {
                if bytes >= known.bytes + LEAST_GROWTH {
                    (known.bytes, known.grown) = (bytes, now);
                }
            }
            partial => {
                *partial = Some(Partial {
                    until: Deadline::new(now, self.limits.frame_timeout).instant(),
                    bytes,
                    grown: now,
                });
            }
        }
    }

    /// The peer cannot be told, so calls are answered until it is quiet.
    fn go_away(&mut self, _: Reason, _: &str, now: Instant) {
        if !self.going_away {
            self.going_away = true;
            self.heard = now;
            if let Some(partial) = &mut self.partial {
                partial.grown = now;
            }
        }
    }

    fn refuse(&mut self, violation: &Violation) {
        let error = Answer::Error(violation.to_string());
        error.push(MsgId::NONE, &mut self.outbox);
    }

    fn is_drained(&self) -> bool {
        self.drained
    }

    /// All answers are written, and the client cannot be told to hang up.
    fn time_to_hang_up(&self) -> Duration {
        Duration::ZERO
    }

    /// Also while as many calls run as may: the peer was not told how many that are, so those that it sends ahead wait
    /// where they are.
    fn is_choked(&self) -> bool {
        let waiting = self.outbox.unwritten() + self.order.held();
        waiting >= self.limits.max_unwritten.max(1) || !self.has_room(0)
    }
}

impl<R, T> HasOutbox for ServerConnection<R, T> {
    fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    fn is_busy(&self) -> bool {
        self.running.len() > 1
    }
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};
    use tokio::time::Instant;

    use super::{
        HasOutbox as _, Limits, Message, Messages, MethodSchema, Methods, Options, QUIET, Reason,
        Response, ServerConnection, ServerEvent, Serving as _,
    };
    use crate::{
        Code,
        call::Names,
        connection::{Batch, Outbox},
        msgpack_rpc::order::tests::written,
    };

    struct Anything;

    impl Methods<()> for Anything {
        fn named(&self, _: &Names) {}

        fn spelt(&self, _: Option<&str>, _: &str) -> ((), Option<&'static MethodSchema>) {
            ((), None)
        }
    }

    fn machine(limits: Limits, now: Instant) -> ServerConnection<(), ()> {
        ServerConnection::new(limits, Options::default(), now)
    }

    fn take(machine: &mut ServerConnection<(), ()>, bytes: &[u8], now: Instant) -> u64 {
        let message = Messages::new(1024).next(&mut BytesMut::from(bytes));
        let message = message.unwrap().unwrap();
        match machine.take(message, now, &Anything).unwrap() {
            ServerEvent::Call(incoming) => incoming.id,
            other => panic!("{other:?}"),
        }
    }

    fn take_all(outbox: &mut Outbox) {
        let mut batch = Batch::default();
        outbox.take(&mut batch);
        outbox.wrote(outbox.unwritten());
    }

    #[test]
    fn a_drain_does_not_end_before_the_answers_are_written() {
        let start = Instant::now();
        let mut machine = machine(Limits::default(), start);
        let call = take(&mut machine, b"\x94\x00\x01\xa1m\x90", start);
        machine.go_away(Reason::Drain, "", start);
        let answer = Response::from_result(Bytes::from_static(b"\x07"));
        machine.answer(call, &Ok(answer));
        let mut now = start;
        for _ in 0..5 {
            now += QUIET;
            machine.tick(now).unwrap();
            assert!(!machine.is_drained(), "the peer has not taken its answer");
            assert!(machine.next_tick() <= now + QUIET);
        }
        take_all(machine.outbox());
        machine.tick(now + QUIET).unwrap();
        assert!(machine.is_drained());
    }

    #[test]
    fn a_limit_of_no_calls_lets_one_run() {
        let limits = Limits {
            max_calls: 0,
            ..Limits::default()
        };
        assert!(!machine(limits, Instant::now()).is_choked());
    }

    #[test]
    fn a_result_that_is_not_one_value_is_an_error_and_not_the_end_of_the_next_answer() {
        for body in [&b""[..], b"\x92\x01", b"\x01\x02", b"\xa3ab"] {
            let now = Instant::now();
            let mut machine = machine(Limits::default(), now);
            let call = take(&mut machine, b"\x94\x00\x01\xa1m\x90", now);
            let answer = Response::from_result(Bytes::copy_from_slice(body));
            let replaced = machine.answer(call, &Ok(answer));
            assert_eq!(replaced.map(|status| status.code()), Some(Code::Internal));
            let mut written = BytesMut::from(&written(machine.outbox())[..]);
            let mut messages = Messages::new(1024);
            let Some(Message::Answer { error, .. }) = messages.next(&mut written).unwrap() else {
                panic!("{body:02x?}");
            };
            assert_ne!(error[..], [0xC0], "{body:02x?}");
            assert!(written.is_empty(), "{body:02x?}");
        }
    }
}
