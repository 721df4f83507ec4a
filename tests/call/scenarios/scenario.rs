//! A row of the table.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use doge_rpc::{Request, call::Cancellation, prelude::*};

use super::{
    actor::{Act, Actor as _, ActorClient, Trouble},
    seen::{End, HandlerSaw, LayerSaw, Place, Seen, StatusParts, UNREAD},
};
use crate::lives::Life;

/// A call, and what is seen of it.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) call: Call,
    /// The caller drops the call when a handler hangs.
    pub(super) is_dropped: bool,
    /// The deadline passes at the client and at servers at about the same time, and whichever is first ends the call.
    pub(super) is_late: bool,
    pub(super) options: fn(CallOptions) -> CallOptions,
    /// What the layer around the first actor does.
    pub(super) layer: fn(&mut Request) -> Result<(), Status>,
    /// What is seen over TCP, over a Unix socket and in memory.
    pub(super) seen: Seen,
    /// What is seen otherwise within the process, where peers are no addresses.
    pub(super) local: fn(&mut Seen),
    /// What is seen otherwise over MessagePack-RPC, where a status is only its text and answers have no metadata.
    pub(super) doge: fn(&mut Seen),
}

/// What a caller with little time has: enough for the call to arrive.
pub(super) const HASTY: Duration = Duration::from_millis(150);

#[derive(Clone, Debug)]
pub(super) enum Call {
    Act(Act),
    Bare(Act),
    /// So many bytes there and back.
    Echo(usize),
    List(usize),
    Count(usize),
    /// A method that there is not.
    Nothing,
    /// A text in the place of a list.
    WrongArgument,
    MissingArgument,
}

impl Call {
    pub(super) async fn make(self, client: Client) -> End {
        let actor = ActorClient::new(client.clone());
        let untyped = client.untyped("call.actor");
        let answer = match self {
            Self::Act(act) => match actor.act(act).await {
                Ok(value) => return End::Value(value),
                Err(Trouble::Status(status)) => Err(status),
                Err(trouble) => return End::Error(trouble.to_string()),
            },
            Self::Bare(act) => actor.bare(act).await,
            Self::Echo(length) => {
                let body = Bytes::from(vec![7; length]);
                let echo = actor.echo(body.clone()).await;
                echo.map(|echo| format!("{} bytes, {}", echo.len(), echo == body))
            }
            Self::List(length) => {
                let list = actor.list(length).await;
                list.map(|list| list.len().to_string())
            }
            Self::Count(length) => {
                let count = actor.count(vec![(); length]).await;
                count.map(|count| count.to_string())
            }
            Self::Nothing => untyped.call("nothing", ()).await,
            Self::WrongArgument => untyped.call("count", ("many",)).await,
            Self::MissingArgument => untyped.call("bare", ()).await,
        };
        match answer {
            Ok(value) => End::Value(value),
            Err(status) => End::Status(StatusParts::from(&status)),
        }
    }
}

impl Scenario {
    /// A call that ends like that for its caller and for the layer around the first actor, whose handler returns.
    pub(super) fn new(name: &'static str, call: Call, end: End) -> Self {
        let method = match call {
            Call::Act(_) => "act",
            Call::Bare(_) | Call::MissingArgument => "bare",
            Call::Echo(_) => "echo",
            Call::List(_) => "list",
            Call::Count(_) | Call::WrongArgument => "count",
            Call::Nothing => "nothing",
        };
        let within = match &end {
            End::Value(_) => End::Value(UNREAD),
            End::Error(_) => End::Error(UNREAD),
            end => end.clone(),
        };
        Self {
            name,
            call,
            is_dropped: false,
            is_late: false,
            options: |options| options,
            layer: |_| Ok(()),
            seen: Seen {
                caller: end,
                reply: Vec::new(),
                layers: BTreeMap::from([(Place::First, LayerSaw::new(method, within))]),
                handlers: BTreeMap::from([(Place::First, HandlerSaw::new(method))]),
            },
            local: |_| {},
            doge: |_| {},
        }
    }

    /// The call of an act that ends like that.
    pub(super) fn act(name: &'static str, act: Act, end: End) -> Self {
        Self::new(name, Call::Act(act), end)
    }

    pub(super) fn bare(name: &'static str, act: Act, end: End) -> Self {
        Self::new(name, Call::Bare(act), end)
    }

    pub(super) fn dropped(self) -> Self {
        Self {
            is_dropped: true,
            ..self
        }
    }

    /// Its caller has little time, which passes.
    pub(super) fn until_deadline(self) -> Self {
        let hasty = Self {
            is_late: true,
            ..self.options(|options| options.timeout(HASTY))
        };
        hasty.seen(|seen| {
            for handler in seen.handlers.values_mut() {
                handler.is_hurried = true;
            }
            seen.settle_deadlines();
        })
    }

    /// Its handlers are stopped.
    pub(super) fn stopped(self, why: &Cancellation) -> Self {
        self.seen(|seen| seen.is_stopped(why))
    }

    pub(super) fn options(self, options: fn(CallOptions) -> CallOptions) -> Self {
        Self { options, ..self }
    }

    pub(super) fn layer(self, layer: fn(&mut Request) -> Result<(), Status>) -> Self {
        Self { layer, ..self }
    }

    pub(super) fn seen(mut self, also: impl FnOnce(&mut Seen)) -> Self {
        also(&mut self.seen);
        self
    }

    /// The first handler calls the second, whose call ends like that.
    pub(super) fn nested(self, end: End) -> Self {
        self.seen(|seen| {
            seen.layers
                .insert(Place::Second, LayerSaw::new("bare", end));
            seen.handlers.insert(Place::Second, HandlerSaw::new("bare"));
        })
    }

    pub(super) fn local(self, local: fn(&mut Seen)) -> Self {
        Self { local, ..self }
    }

    pub(super) fn doge(self, doge: fn(&mut Seen)) -> Self {
        Self { doge, ..self }
    }

    /// What is to be seen in this life.
    pub(super) fn seen_in(&self, life: Life) -> Seen {
        let mut seen = self.seen.clone();
        match life {
            Life::Tcp
            | Life::Unix
            | Life::Memory
            | Life::Buffered
            | Life::Given
            | Life::Simulated => {}
            Life::Local => {
                seen.lose_addresses();
                (self.local)(&mut seen);
            }
            Life::Doge => {
                seen.lose_all_but_text();
                (self.doge)(&mut seen);
            }
        }
        seen
    }
}
