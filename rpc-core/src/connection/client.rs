use std::task::{Context, Poll, Waker};

use tokio::time::Instant;

use super::{
    HasOutbox, Limits, Outbox,
    bucket::Bucket,
    calls::{Calls, MAX_SLOTS},
    quiet::{Hush, Quiet},
};
use crate::{
    Disposition, Status,
    call::{CancelReason, Cancellation, Request, Response},
    protocol::{
        Features, Fields, Fragment, Frame, GoAway, Hello, Message, Outcome, Reason, RequestHead,
        ResponseHead, RouteRef, TooLarge, Violation, lane, whole_millis,
    },
};

/// The caller's end of a connection.
#[derive(Debug)]
pub struct ClientConnection {
    limits: Limits,
    outbox: Outbox,
    calls: Calls,
    peer: Option<Hello>,
    named: Vec<u64>,
    quiet: Quiet,
    control: Bucket,
    closing: Option<Status>,
    /// Why the server said that it goes away.
    goes_away_for: Option<Reason>,
    late_answers: u64,
}

/// Why a call was not started; it has not run.
#[derive(Debug)]
pub enum Refusal {
    /// No room now: see [`ClientConnection::has_room`].
    Full,
    /// The connection takes no more calls.
    Closing(Status),
    /// The request is over the peer's limit.
    TooLarge(TooLarge),
    /// Its deadline has passed.
    Expired,
}

/// What time asks a connection to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chore {
    /// Nothing before this moment.
    Sleep(Instant),
    /// The peer is gone: no byte for too long.
    Dead,
}

impl ClientConnection {
    /// A fresh connection, with its hello to be written.
    pub fn new(limits: Limits, now: Instant) -> Self {
        let mut connection = Self {
            outbox: Outbox::default(),
            calls: Calls::default(),
            peer: None,
            named: Vec::new(),
            quiet: Quiet::new(limits.ping_after, limits.ping_timeout, now),
            control: Bucket::new(limits.max_control_burst, now),
            closing: None,
            goes_away_for: None,
            late_answers: 0,
            limits,
        };
        let hello = Message::Hello(connection.limits.hello());
        connection.outbox.push_small(0, hello);
        connection
    }

    /// What the peer said in hello, once it has.
    pub fn peer(&self) -> Option<&Hello> {
        self.peer.as_ref()
    }

    /// Starts a call: its request is in the outbox after this, `waker` is woken once its answer can be had from
    /// [`poll_answer`](Self::poll_answer).
    ///
    /// # Errors
    ///
    /// A [`Refusal`], when it is not started; nothing is sent then.
    pub fn start(
        &mut self,
        request: &Request,
        now: Instant,
        waker: &Waker,
    ) -> Result<u64, Refusal> {
        if let Some(status) = &self.closing {
            return Err(Refusal::Closing(status.clone()));
        }
        let Some(peer) = self.peer.as_ref().filter(|_| self.has_room()) else {
            return Err(Refusal::Full);
        };
        let deadline = request.deadline().instant();
        let timeout = whole_millis(deadline.saturating_duration_since(now));
        if timeout == 0 {
            return Err(Refusal::Expired);
        }
        let Some(id) = self.calls.next_id() else {
            return Err(Refusal::Closing(Status::unavailable(
                "the call ids of this connection are used up",
            )));
        };
        let number = Some(request.route().number())
            .filter(|number| *number <= peer.max_routes)
            .unwrap_or(0);
        let known = number != 0 && self.is_named(number);
        let head = RequestHead {
            route: if known {
                RouteRef::Known(number)
            } else {
                RouteRef::Named(number, request.route().names())
            },
            timeout,
            attempt: request.attempt(),
            one_way: false,
            stream: false,
            fields: Fields {
                metadata: request.metadata().clone(),
                ..Default::default()
            },
        };
        let end = self
            .outbox
            .push_with_body(id, &head, request.bytes(), peer.max_frame)
            .map_err(Refusal::TooLarge)?;
        if !known {
            self.set_named(number);
        }
        self.calls.insert(id, deadline, end, waker.clone());
        Ok(id)
    }

    /// Whether another call can start, or would be told why it never can.
    pub fn has_room(&self) -> bool {
        self.room() > 0
    }

    /// How many further calls can start as long as their requests are small, or would be told why they never can.
    pub fn room(&self) -> usize {
        if self.closing.is_some() {
            return usize::MAX;
        }
        let Some(peer) = &self.peer else {
            return 0;
        };
        if self.outbox.unwritten() >= self.limits.max_unwritten.max(1) {
            return 0;
        }
        let most = peer.max_calls.min(self.limits.max_calls) as usize;
        most.min(MAX_SLOTS).saturating_sub(self.calls.held())
    }

    /// The answer of a call, once it is there; `None` when the deadline passed before. To be asked until there is one of the
    /// two, and no more after.
    pub fn poll_answer(
        &mut self,
        call: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Response, Status>>> {
        self.calls.poll(call, cx)
    }

    /// Gives a call up, for the reason that `why` tells. Its request may be on the way, so the peer is told; an answer that
    /// comes late is dropped.
    pub fn abandon(&mut self, call: u64, why: impl FnOnce() -> Cancellation) {
        if self.calls.forget(call) {
            self.cancel(call, why);
        }
    }

    fn cancel(&mut self, call: u64, why: impl FnOnce() -> Cancellation) {
        let peer = self.peer.as_ref();
        let said = peer.is_some_and(|peer| peer.features.contains(Features::CANCEL_REASONS));
        let cancel = Message::Cancel(said.then(why));
        self.outbox.push_small(call, cancel);
    }

    /// Takes a frame in, and collects the tasks that it wakes.
    ///
    /// # Errors
    ///
    /// The [`Violation`] that ends the connection.
    #[inline]
    pub fn receive(
        &mut self,
        frame: Frame,
        now: Instant,
        wakers: &mut Vec<Waker>,
    ) -> Result<(), Violation> {
        if self.peer.is_none() {
            return match frame.message {
                Message::Hello(hello) => {
                    hello.check()?;
                    self.peer = Some(hello);
                    Ok(())
                }
                Message::GoAway(goaway) => {
                    self.go_away(&goaway, wakers);
                    Ok(())
                }
                _ => Err(Violation::Unexpected("a frame before hello")),
            };
        }
        match frame.message {
            Message::Response(head, body) => {
                self.answer(frame.call, Ok(response(head, body)?), wakers);
            }
            Message::Error(outcome) => self.answer(frame.call, Err(outcome), wakers),
            Message::Ping(number) => {
                self.control.spend(now, "pings")?;
                self.outbox.push_small(0, Message::Pong(number));
            }
            // What was asked for costs nothing.
            Message::Pong(_) if self.quiet.answered() => {}
            Message::Pong(_) | Message::Skipped(_) => self.control.spend(now, "pings")?,
            Message::GoAway(goaway) => self.go_away(&goaway, wakers),
            Message::Hello(_) => return Err(Violation::Unexpected("a second hello")),
            Message::Request(..) => return Err(Violation::Unexpected("a request from the server")),
            Message::Cancel(_) => return Err(Violation::Unexpected("a cancel from the server")),
            Message::Piece(_) => return Err(Violation::NotAgreed("a body in pieces")),
            Message::Item(..) | Message::End(_) | Message::Window(_) => {
                return Err(Violation::NotAgreed("a stream"));
            }
        }
        Ok(())
    }

    /// Notes that bytes came.
    pub fn was_read(&mut self, now: Instant) {
        self.quiet.heard(now);
    }

    /// Does what time asks for: ends overdue calls, pings when quiet.
    pub fn tick(&mut self, now: Instant, wakers: &mut Vec<Waker>) -> Chore {
        for call in self.calls.expire(now, wakers) {
            self.cancel(call, || Cancellation::bare(CancelReason::Deadline));
        }
        let quiet = match self.quiet.tick(now) {
            Hush::Until(moment) => moment,
            Hush::Ping(moment) => {
                self.outbox.push_small(0, Message::Ping(0));
                moment
            }
            Hush::Dead => return Chore::Dead,
        };
        Chore::Sleep(
            self.calls
                .next_sweep()
                .map_or(quiet, |sweep| sweep.min(quiet)),
        )
    }

    /// The moment of the nearest deadline known.
    pub fn next_sweep(&self) -> Option<Instant> {
        self.calls.next_sweep()
    }

    /// The connection is lost: ends all calls, and tells those which never left that they never ran. Where `why` is an
    /// [interruption](crate::Disposition::Interrupted), the others are told so.
    pub fn lose(&mut self, why: &Status, wakers: &mut Vec<Waker>) {
        let outbox = &self.outbox;
        self.calls.fail(
            |_| true,
            |end| match outbox.has_left(end) {
                true if why.disposition() == Disposition::Interrupted => why.clone(),
                true => why.clone().may_have_run(),
                false => why.clone().not_sent(),
            },
            wakers,
        );
        self.closing.get_or_insert_with(|| why.clone());
    }

    /// Whether the connection takes no more calls.
    pub fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// Whether the server said that it shuts down. At the same address another server may listen, or a load balancer.
    pub fn is_drained(&self) -> bool {
        self.goes_away_for == Some(Reason::Drain)
    }

    /// Why the connection takes no more calls.
    pub fn why_closing(&self) -> Status {
        self.closing
            .clone()
            .unwrap_or_else(|| Status::unavailable("the connection was closed"))
    }

    /// Calls that wait for their answer.
    pub fn in_flight(&self) -> usize {
        self.calls.waiting()
    }

    /// Answers that came when nobody waited for them any more.
    pub fn late_answers(&self) -> u64 {
        self.late_answers
    }

    #[inline]
    fn answer(&mut self, call: u64, answer: Result<Response, Outcome>, wakers: &mut Vec<Waker>) {
        let answer = answer.map_err(Outcome::into_status);
        if !self.calls.complete(call, answer, wakers) {
            self.late_answers += 1;
        }
    }

    fn go_away(&mut self, goaway: &GoAway, wakers: &mut Vec<Waker>) {
        let status = Status::unavailable(format!(
            "the server goes away ({:?}): {}",
            goaway.reason, goaway.message
        ));
        let last = |call: u64| goaway.last_calls.get(lane(call)).copied().unwrap_or(0);
        self.calls.fail(
            |call| call > last(call),
            |_| status.clone().rejected(),
            wakers,
        );
        self.closing.get_or_insert(status);
        self.goes_away_for.get_or_insert(goaway.reason);
    }

    fn is_named(&self, number: u16) -> bool {
        let (word, bit) = (usize::from(number) / 64, number % 64);
        self.named
            .get(word)
            .is_some_and(|bits| bits >> bit & 1 == 1)
    }

    fn set_named(&mut self, number: u16) {
        let (word, bit) = (usize::from(number) / 64, number % 64);
        if self.named.len() <= word {
            self.named.resize(word + 1, 0);
        }
        self.named[word] |= 1 << bit;
    }
}

impl HasOutbox for ClientConnection {
    fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    fn is_busy(&self) -> bool {
        self.calls.held() > 1
    }
}

fn response(head: ResponseHead, body: Fragment) -> Result<Response, Violation> {
    whole(&body)?;
    let mut response = if head.application_error {
        Response::from_error(body.data)
    } else {
        Response::from_result(body.data)
    };
    if head.stream {
        return Err(Violation::NotAgreed("a stream"));
    }
    *response.metadata_mut() = head.fields.metadata;
    Ok(response)
}

/// Until more is agreed in hello, bodies are whole and as they are.
pub(super) fn whole(body: &Fragment) -> Result<(), Violation> {
    if body.more {
        return Err(Violation::NotAgreed("a body in pieces"));
    }
    if body.compressed {
        return Err(Violation::NotAgreed("compression"));
    }
    Ok(())
}
