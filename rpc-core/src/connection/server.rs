use std::time::Duration;

use tokio::time::Instant;

use super::{
    HasOutbox, Incoming, Limits, Methods, Outbox, Overdue, Refused, ServerEvent, Serving,
    bucket::Bucket,
    client::whole,
    quiet::{Hush, Quiet},
    running::Running,
};
use crate::{
    Deadline, Status,
    call::{Names, Response},
    observe::RefusalReason,
    protocol::{
        Codec, Features, Fields, Fragment, Frame, GoAway, Hello, LANES, Message, Outcome, Reason,
        RequestHead, ResponseHead, RouteRef, Violation, lane,
    },
};

/// The serving end of a connection.
///
/// `R` is what a route resolves to, once per connection; `T` is a handle that stops a handler which runs on.
#[derive(Debug)]
pub struct ServerConnection<R, T> {
    limits: Limits,
    outbox: Outbox,
    peer: Option<Hello>,
    routes: Vec<Option<R>>,
    /// The highest call id of each lane.
    last: [u64; LANES],
    running: Running<T>,
    pings: Bucket,
    cancels: Bucket,
    /// The moment by which the hello, or the rest of a frame, has to be there.
    patience: Option<Instant>,
    going_away: bool,
    quiet: Quiet,
}

/// How long a client has to hang up after a drain: it has its answers and was told to call elsewhere. They may still be
/// on their way to a slow client.
const HANG_UP: Duration = Duration::from_secs(3);

/// How long a client that has not said hello when a drain begins has to hang up.
const HELLO_IN_DRAIN: Duration = Duration::from_millis(300);

impl<R: Clone, T: Clone> ServerConnection<R, T> {
    /// A fresh connection, which waits for the client's hello.
    pub fn new(limits: Limits, now: Instant) -> Self {
        Self {
            outbox: Outbox::default(),
            peer: None,
            routes: Vec::new(),
            last: [0; LANES],
            running: Running::default(),
            pings: Bucket::new(limits.max_control_burst, now),
            cancels: Bucket::new(limits.max_calls.max(limits.max_control_burst), now),
            patience: Some(Deadline::new(now, limits.handshake_timeout).instant()),
            going_away: false,
            // A client pings by itself; the server does when even that does not come.
            quiet: Quiet::new(
                limits.ping_after.saturating_mul(2),
                limits.ping_timeout,
                now,
            ),
            limits,
        }
    }

    /// Takes a frame in. `resolve` looks a route up by its names, once for each number.
    ///
    /// # Errors
    ///
    /// The [`Violation`] that ends the connection.
    pub fn receive(
        &mut self,
        frame: Frame,
        now: Instant,
        resolve: impl FnOnce(&Names) -> R,
    ) -> Result<ServerEvent<R, T>, Violation> {
        if self.peer.is_none() {
            let Message::Hello(hello) = frame.message else {
                return Err(Violation::Unexpected("a frame before hello"));
            };
            hello.check()?;
            self.peer = Some(hello);
            self.patience = None;
            let hello = Message::Hello(self.limits.hello());
            self.outbox.push_small(0, hello);
            return Ok(ServerEvent::None);
        }
        match frame.message {
            Message::Request(head, body) => {
                return self.request(frame.call, head, body, now, resolve);
            }
            Message::Cancel(why) => {
                if why.is_some() && !self.may_say_why() {
                    return Err(Violation::NotAgreed("a reason in a cancel"));
                }
                self.cancels.spend(now, "cancels")?;
                let (call, task) = (frame.call, self.running.cancel(frame.call, now));
                return Ok(ServerEvent::Cancelled { call, why, task });
            }
            Message::Ping(number) => {
                self.pings.spend(now, "pings")?;
                self.outbox.push_small(0, Message::Pong(number));
            }
            // What was asked for costs nothing.
            Message::Pong(_) if self.quiet.answered() => {}
            Message::Pong(_) | Message::Skipped(_) => self.pings.spend(now, "pings")?,
            // A client that goes away stops calling and hangs up; there is nothing to do before it does.
            Message::GoAway(_) => self.pings.spend(now, "go-aways")?,
            Message::Hello(_) => return Err(Violation::Unexpected("a second hello")),
            Message::Response(..) | Message::Error(_) => {
                return Err(Violation::Unexpected("an answer from the client"));
            }
            Message::Piece(_) => return Err(Violation::NotAgreed("a body in pieces")),
            Message::Item(..) | Message::End(_) | Message::Window(_) => {
                return Err(Violation::NotAgreed("a stream"));
            }
        }
        Ok(ServerEvent::None)
    }

    fn may_say_why(&self) -> bool {
        let peer = self.peer.as_ref();
        peer.is_some_and(|peer| peer.features.contains(Features::CANCEL_REASONS))
    }

    /// Takes no more calls, and says which ones were taken. Calls that come after that are answered as never run.
    fn say_goodbye(&mut self, reason: Reason, message: &str) {
        if std::mem::replace(&mut self.going_away, true) {
            return;
        }
        let lanes = self
            .last
            .iter()
            .rposition(|last| *last != 0)
            .map_or(0, |highest| highest + 1);
        let goaway = GoAway {
            reason,
            last_calls: self.last[..lanes].to_vec(),
            message: message.into(),
        };
        self.outbox.push_small(0, Message::GoAway(goaway));
    }

    fn request(
        &mut self,
        call: u64,
        head: RequestHead,
        body: Fragment,
        now: Instant,
        resolve: impl FnOnce(&Names) -> R,
    ) -> Result<ServerEvent<R, T>, Violation> {
        let last = &mut self.last[lane(call)];
        if call <= *last {
            return Err(Violation::CallId(call));
        }
        *last = call;
        whole(&body)?;
        if head.stream || head.one_way {
            return Err(Violation::NotAgreed(if head.stream {
                "a stream"
            } else {
                "a one-way call"
            }));
        }
        let route = self.route(head.route, resolve)?;
        self.cancels.earn();
        let refusal = if self.going_away {
            let status = Status::unavailable("the server goes away");
            Some((RefusalReason::Draining, status))
        } else if !self.has_room(0) {
            let most = self.limits.max_calls;
            let why = format!("{most} calls run on this connection already");
            let status = Status::resource_exhausted(why);
            Some((RefusalReason::ConnectionFull, status))
        } else if head.timeout == 0 {
            let why = "the deadline had passed when the call came";
            Some((RefusalReason::Late, Status::deadline_exceeded(why)))
        } else {
            None
        };
        if let Some((reason, status)) = refusal {
            self.answer(call, &Err(status.rejected()));
            return Ok(ServerEvent::Refused(Refused {
                route: Some(route),
                attempt: head.attempt,
                request_bytes: body.data.len(),
                reason,
            }));
        }
        let deadline = Deadline::new(
            now,
            std::time::Duration::from_millis(u64::from(head.timeout)),
        );
        Ok(ServerEvent::Call(Incoming {
            id: call,
            route,
            body: body.data,
            deadline,
            metadata: head.fields.metadata,
            attempt: head.attempt,
            wants_text: false,
        }))
    }

    fn route(
        &mut self,
        route: RouteRef,
        resolve: impl FnOnce(&Names) -> R,
    ) -> Result<R, Violation> {
        match route {
            RouteRef::Named(0, names) => Ok(resolve(&names)),
            RouteRef::Named(number, _) if number > self.limits.max_routes => {
                Err(Violation::Route(number))
            }
            RouteRef::Named(number, names) => {
                let slot = usize::from(number) - 1;
                if self.routes.len() <= slot {
                    self.routes.resize(slot + 1, None);
                }
                let route = resolve(&names);
                self.routes[slot] = Some(route.clone());
                Ok(route)
            }
            RouteRef::Known(number) => usize::from(number)
                .checked_sub(1)
                .and_then(|slot| self.routes.get(slot)?.clone())
                .ok_or(Violation::Route(number)),
        }
    }
}

impl<R: Clone, T: Clone> Serving<R, T> for ServerConnection<R, T> {
    type Decoder = Codec;

    #[inline]
    fn take(
        &mut self,
        frame: Frame,
        now: Instant,
        methods: &impl Methods<R>,
    ) -> Result<ServerEvent<R, T>, Violation> {
        self.receive(frame, now, |names| methods.named(names))
    }

    fn has_room(&self, taken: usize) -> bool {
        self.running.len() + taken < self.limits.max_calls as usize
    }

    fn running(&self) -> &Running<T> {
        &self.running
    }

    fn running_mut(&mut self) -> &mut Running<T> {
        &mut self.running
    }

    fn answer(&mut self, call: u64, answer: &Result<Response, Status>) -> Option<Status> {
        let max_frame = self
            .peer
            .as_ref()
            .map_or(self.limits.max_frame, |peer| peer.max_frame);
        let pushed = match answer {
            Ok(response) if response.body().has_items() => {
                let status = Status::unimplemented("items of an answer do not travel yet");
                let message = Message::Error(Outcome::from_status(&status));
                self.outbox.push_small(call, message);
                return Some(status);
            }
            Ok(response) => {
                let head = ResponseHead {
                    application_error: response.is_application_error(),
                    stream: false,
                    fields: Fields {
                        metadata: response.metadata().clone(),
                        ..Fields::default()
                    },
                };
                self.outbox
                    .push_with_body(call, &head, response.bytes(), max_frame)
            }
            Err(status) => {
                let message = Message::Error(Outcome::from_status(status));
                self.outbox.push(&Frame { call, message }, max_frame)
            }
        };
        let error = pushed.err()?;
        let why = format!("the answer: {error}, which is what the caller takes");
        let status = Status::resource_exhausted(why);
        let message = Message::Error(Outcome::from_status(&status));
        self.outbox.push_small(call, message);
        Some(status)
    }

    fn tick(&mut self, now: Instant) -> Result<Vec<Overdue<T>>, Violation> {
        if self.patience.is_some_and(|patience| patience <= now) {
            return Err(Violation::TooSlow(if self.peer.is_none() {
                "hello"
            } else {
                "a frame"
            }));
        }
        match self.quiet.tick(now) {
            Hush::Until(_) => {}
            Hush::Ping(_) => self.outbox.push_small(0, Message::Ping(0)),
            Hush::Dead => return Err(Violation::TooSlow("the answer to a ping")),
        }
        Ok(self.running.overdue(now))
    }

    fn next_tick(&self) -> Instant {
        self.running
            .sweep()
            .into_iter()
            .chain(self.patience)
            .fold(self.quiet.next(), Instant::min)
    }

    fn was_read(&mut self, now: Instant) {
        self.quiet.heard(now);
    }

    fn partial(&mut self, bytes: Option<usize>, fresh: bool, now: Instant) {
        if self.peer.is_none() {
            return;
        }
        if bytes.is_none() {
            self.patience = None;
        } else if fresh || self.patience.is_none() {
            self.patience = Some(Deadline::new(now, self.limits.frame_timeout).instant());
        }
    }

    fn go_away(&mut self, reason: Reason, message: &str, _: Instant) {
        self.say_goodbye(reason, message);
    }

    fn refuse(&mut self, violation: &Violation) {
        self.say_goodbye(Reason::from(violation), &violation.to_string());
    }

    /// A client that has not said hello has no call at stake.
    fn time_to_hang_up(&self) -> Duration {
        if self.peer.is_some() {
            HANG_UP
        } else {
            HELLO_IN_DRAIN
        }
    }

    fn is_drained(&self) -> bool {
        self.going_away && self.running.is_empty()
    }

    fn is_choked(&self) -> bool {
        self.outbox.unwritten() >= self.limits.max_unwritten.max(1)
    }
}

impl<R: Clone, T> HasOutbox for ServerConnection<R, T> {
    fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    fn is_busy(&self) -> bool {
        self.running.len() > 1
    }
}
