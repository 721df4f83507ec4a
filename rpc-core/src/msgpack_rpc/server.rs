use std::{marker::PhantomData, time::Duration};

use tokio::time::Instant;

use super::{
    Call, Message, Messages, MetaMap, MsgId, Options, meta,
    order::{Answer, Order},
    text,
};
use crate::{
    Deadline, Metadata, Status,
    call::{Attempt, Response},
    connection::{HasOutbox, Incoming, Limits, Methods, Outbox, Running, ServerEvent, Serving},
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
    /// Whether the calls of this connection have a meta map, once one of them has shown it.
    has_meta: Option<bool>,
    /// The moment by which the rest of a message has to be there.
    patience: Option<Instant>,
    heard: Instant,
    going_away: bool,
    drained: bool,
    /// The next look when there is nothing to look for.
    idle: Instant,
    route: PhantomData<fn() -> R>,
}

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
            has_meta: None,
            patience: None,
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
    ) -> Result<Incoming<R>, Status> {
        let (route, schema) = methods.spelt(call.method());
        let (metadata, timeout, body) = if self.has_meta(&call, schema) {
            let read = meta::read(call.first().unwrap_or_default());
            let meta = read.map_err(|error| Status::invalid_argument(error.to_string()))?;
            (meta.metadata, meta.timeout, call.into_params_after_first())
        } else {
            (Metadata::new(), None, call.into_params())
        };
        let timeout = timeout
            .or_else(|| schema.and_then(MethodSchema::timeout))
            .unwrap_or(self.options.timeout);
        if timeout.is_zero() {
            let why = "the deadline had passed when the call came";
            return Err(Status::deadline_exceeded(why));
        }
        Ok(Incoming {
            id: number,
            route,
            body,
            deadline: Deadline::new(now, timeout),
            metadata,
            attempt: Attempt::default(),
            wants_text: true,
        })
    }

    /// Whether the first param is a meta map.
    fn has_meta(&mut self, call: &Call, schema: Option<&MethodSchema>) -> bool {
        match self.options.meta {
            MetaMap::Always => return call.count() > 0,
            MetaMap::Never => return false,
            MetaMap::ByArity => {}
        }
        let (Some(first), Some(schema)) = (call.first(), schema) else {
            return false;
        };
        if !meta::is_meta(first) {
            return false;
        }
        let most = schema.arguments().len();
        let least = schema
            .arguments()
            .iter()
            .filter(|it| !it.optional())
            .count();
        let fits = |count: usize| (least..=most).contains(&count);
        let count = call.count() as usize;
        match (fits(count - 1), fits(count)) {
            (with, without) if with != without => {
                self.has_meta = Some(with);
                with
            }
            _ => self
                .has_meta
                .unwrap_or_else(|| meta::looks_like_meta(first)),
        }
    }

    /// Whether something is under way that a drain waits for.
    fn is_in_use(&self) -> bool {
        self.patience.is_some() || !self.order.is_empty() || !self.running.is_empty()
    }

    /// Puts an answer in its place; a notification has none.
    fn put(&mut self, call: u64, answer: Answer) {
        if call & NOTIFICATION == 0 {
            self.order.answer(call, answer, &mut self.outbox);
        } else if let Answer::Error(error) = answer {
            tracing::debug!(error, "a notification failed, which its sender is not told");
        }
    }
}

impl<R, T> Serving<R, T> for ServerConnection<R, T> {
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
            Message::Invalid { id, why } => {
                let number = self.order.enter(id.unwrap_or(MsgId::NONE));
                self.put(number, Answer::Error(why));
                return Ok(ServerEvent::None);
            }
            Message::Answer { .. } => {
                return Err(Violation::Unexpected("an answer from the client"));
            }
        };
        match self.call(number, call, now, methods) {
            Ok(incoming) => Ok(ServerEvent::Call(incoming)),
            Err(status) => {
                self.put(number, Answer::Error(text::of_status(&status)));
                Ok(ServerEvent::None)
            }
        }
    }

    fn has_room(&self, taken: usize) -> bool {
        self.running.len() + taken < self.limits.max_calls as usize
    }

    fn run(&mut self, call: u64, deadline: Deadline, task: T) {
        self.running.enter(call, deadline.instant(), task);
    }

    fn finish(&mut self, call: u64, answer: Result<Response, Status>, metadata: Metadata) {
        if self.running.leave(call).is_some() {
            self.answer(call, answer, metadata);
        }
    }

    /// Metadata of the answer has no place in this dialect.
    fn answer(&mut self, call: u64, answer: Result<Response, Status>, _: Metadata) {
        let answer = match answer {
            Ok(response) if response.is_application_error() => {
                Answer::Error(match response.text() {
                    Some(text) if !text.is_empty() => text.to_owned(),
                    _ => text::readable(response.body()),
                })
            }
            Ok(response) => Answer::Result(response.body().clone()),
            Err(status) => Answer::Error(text::of_status(&status)),
        };
        self.put(call, answer);
    }

    fn tick(&mut self, now: Instant) -> Result<Vec<T>, Violation> {
        if self.patience.is_some_and(|patience| patience <= now) {
            return Err(Violation::TooSlow("a message"));
        }
        self.idle = now + IDLE;
        let overdue = self.running.take_overdue(now);
        let mut tasks = Vec::with_capacity(overdue.len());
        for (call, task) in overdue {
            let late = Status::deadline_exceeded("the handler was stopped at the deadline");
            self.answer(call, Err(late), Metadata::new());
            tasks.push(task);
        }
        if self.going_away && self.heard + QUIET <= now {
            if self.is_in_use() {
                self.heard = now;
            } else {
                self.drained = true;
            }
        }
        Ok(tasks)
    }

    fn next_tick(&self) -> Instant {
        let quiet = (self.going_away && !self.drained).then(|| self.heard + QUIET);
        self.running
            .sweep()
            .into_iter()
            .chain(self.patience)
            .chain(quiet)
            .fold(self.idle, Instant::min)
    }

    fn was_read(&mut self, now: Instant) {
        self.heard = now;
    }

    fn partial(&mut self, partial: bool, fresh: bool, now: Instant) {
        if !partial {
            self.patience = None;
        } else if fresh || self.patience.is_none() {
            self.patience = Some(Deadline::new(now, self.limits.frame_timeout).instant());
        }
    }

    /// The peer cannot be told, so calls are answered until it is quiet.
    fn go_away(&mut self, _: Reason, _: &str, now: Instant) {
        if !self.going_away {
            self.going_away = true;
            self.heard = now;
        }
    }

    fn refuse(&mut self, violation: &Violation) {
        let error = Answer::Error(violation.to_string());
        error.push(MsgId::NONE, &mut self.outbox);
    }

    fn is_drained(&self) -> bool {
        self.drained
    }

    fn is_left_to_client(&self) -> bool {
        false
    }

    /// Also while as many calls run as may: the peer was not told how many that are, so those that it sends ahead wait
    /// where they are.
    fn is_choked(&self) -> bool {
        let waiting = self.outbox.unwritten() + self.order.held();
        waiting >= self.limits.max_unwritten.max(1) || !self.has_room(0)
    }

    fn stop(&mut self) -> Vec<T> {
        self.running.take()
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
