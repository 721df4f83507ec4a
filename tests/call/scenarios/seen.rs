//! What callers, layers and handlers see of a call.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use doge_rpc::{
    Criticality, Disposition, Request,
    call::{CancelReason, Cancellation, Peer, Route},
    prelude::*,
};

/// All that was seen of a call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) caller: End,
    /// Metadata of the answer, as the caller has it.
    pub(super) reply: Entries,
    /// By the layers around the first and the second actor.
    pub(super) layers: BTreeMap<Place, LayerSaw>,
    /// By the handlers of the first and the second actor.
    pub(super) handlers: BTreeMap<Place, HandlerSaw>,
}

/// Which of the two services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    First,
    Second,
}

/// Keys and values, in order.
pub(super) type Entries = Vec<(String, String)>;

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    /// A layer sees no more of a value than that there is one.
    Value(String),
    /// An error of the application. A layer sees no more of it than that it is one.
    Error(String),
    Status(StatusParts),
    /// Nobody was told, since the future of the call was dropped.
    Dropped,
}

/// A status, with neither addresses nor times in its message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StatusParts {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) disposition: Disposition,
    pub(super) is_passed_on: bool,
    pub(super) details: Bytes,
    pub(super) metadata: Entries,
    pub(super) pushback: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct LayerSaw {
    pub(super) method: String,
    pub(super) metadata: Entries,
    pub(super) peer: Option<Where>,
    pub(super) criticality: Criticality,
    pub(super) end: End,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct HandlerSaw {
    pub(super) method: String,
    pub(super) metadata: Entries,
    pub(super) peer: Option<Where>,
    pub(super) criticality: Criticality,
    pub(super) user: Option<&'static str>,
    /// It has at most half of the time of a patient caller.
    pub(super) is_hurried: bool,
    pub(super) end: HandlerEnd,
}

/// Where a call came from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Where {
    Address,
    ThisProcess,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum HandlerEnd {
    Returned,
    Panicked,
    Stopped(CancelReason, String),
}

impl HandlerEnd {
    pub(super) fn stopped(why: &Cancellation) -> Self {
        Self::Stopped(why.reason(), plain(why.text()))
    }
}

impl From<&Status> for StatusParts {
    fn from(status: &Status) -> Self {
        Self {
            code: status.code(),
            message: plain(status.message()),
            disposition: status.disposition(),
            is_passed_on: status.is_passed_on(),
            details: status.details().clone(),
            metadata: entries(status.metadata()),
            pushback: status.pushback(),
        }
    }
}

impl StatusParts {
    pub(super) fn was_said_by_server(&self) -> bool {
        matches!(
            self.disposition,
            Disposition::Answered | Disposition::Rejected
        )
    }

    /// A status that its handler made.
    pub(super) fn answered(code: Code, message: &str) -> Self {
        Self::from(&Status::new(code, message.to_owned()))
    }
}

/// A text with a word for each address and for each time.
pub(super) fn plain(text: &str) -> String {
    let word = |word: &str| match word.split_once("://") {
        Some((scheme, rest)) => {
            let open = if scheme.starts_with('(') { "(" } else { "" };
            let address = rest.trim_end_matches([':', ',', ')']);
            format!("{open}ADDRESS{}", &rest[address.len()..])
        }
        None if word.ends_with("ms") && word.starts_with(|first: char| first.is_ascii_digit()) => {
            "TIME".to_owned()
        }
        None => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

pub(super) fn entries(metadata: &Metadata) -> Entries {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let entries = metadata.iter();
    let mut entries: Entries = entries
        .map(|(key, value)| (key.to_owned(), text(value)))
        .collect();
    entries.sort();
    entries
}

pub(super) fn entry(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

/// Where layers and handlers write down what they see.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Noted>>);

#[derive(Clone, Default)]
pub(super) struct Noted {
    pub(super) layers: BTreeMap<Place, LayerSaw>,
    pub(super) handlers: BTreeMap<Place, HandlerSaw>,
}

impl Notes {
    pub(super) fn noted(&self) -> Noted {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn layer(&self, place: Place, request: &Request) {
        let saw = LayerSaw {
            method: request.route().method().to_owned(),
            metadata: entries(request.metadata()),
            peer: request.peer().map(Where::of),
            criticality: request.attempt().criticality,
            end: End::Dropped,
        };
        let before = self.0.lock().unwrap().layers.insert(place, saw);
        assert_eq!(before, None, "each layer has one call");
    }

    pub(super) fn handler(&self, place: Place, saw: HandlerSaw) {
        // A handler that panics writes down that it did.
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = notes.handlers.insert(place, saw);
        assert_eq!(before, None, "each handler has one call");
    }
}

impl Where {
    pub(super) fn of(peer: &Peer) -> Self {
        match peer.address() {
            Some(_) => Self::Address,
            None => Self::ThisProcess,
        }
    }
}

/// What a layer sees of a value and of an error.
pub(super) const UNREAD: String = String::new();

pub(super) const PAST_DEADLINE: Cancellation = Cancellation::bare(CancelReason::Deadline);

/// The end of a call that was stopped, as the layer around its handler sees it.
pub(super) fn stopped(method: &str, why: &Cancellation) -> End {
    let route = Route::named("call.actor", method).unwrap();
    End::Status(StatusParts::from(&why.status(&route)))
}

impl LayerSaw {
    pub(super) fn new(method: &str, end: End) -> Self {
        Self {
            method: method.to_owned(),
            metadata: Vec::new(),
            peer: Some(Where::Address),
            criticality: Criticality::default(),
            end,
        }
    }
}

impl HandlerSaw {
    pub(super) fn new(method: &str) -> Self {
        Self {
            method: method.to_owned(),
            metadata: Vec::new(),
            peer: Some(Where::Address),
            criticality: Criticality::default(),
            user: None,
            is_hurried: false,
            end: HandlerEnd::Returned,
        }
    }
}

impl Seen {
    /// Within the process. What is around a service there may be at the end of the caller, where nobody is a peer.
    pub(super) fn lose_addresses(&mut self) {
        for saw in self.layers.values_mut() {
            saw.peer = None;
        }
        for saw in self.handlers.values_mut() {
            saw.peer = Some(Where::ThisProcess);
        }
    }

    /// Over MessagePack-RPC.
    pub(super) fn lose_all_but_text(&mut self) {
        self.reply.clear();
        self.caller.lose_all_but_text();
    }

    /// Within the process a call is dropped with everything around its handler.
    pub(super) fn is_dropped(&mut self) {
        for saw in self.layers.values_mut() {
            saw.end = End::Dropped;
        }
        let why = Cancellation::bare(CancelReason::CallerGone);
        for saw in self.handlers.values_mut() {
            saw.end = HandlerEnd::stopped(&why);
        }
    }

    pub(super) fn is_stopped(&mut self, why: &Cancellation) {
        for saw in self.layers.values_mut() {
            saw.end = stopped(&saw.method, why);
        }
        for saw in self.handlers.values_mut() {
            saw.end = HandlerEnd::stopped(why);
        }
    }

    /// One word for all ends that come of a deadline: a layer may have been told that the caller hung up, and a handler may
    /// have returned what a call that it made came to at the same moment.
    pub(super) fn settle_deadlines(&mut self) {
        let by_deadline = |code| matches!(code, Code::DeadlineExceeded | Code::Cancelled);
        for saw in self.layers.values_mut() {
            if matches!(&saw.end, End::Status(status) if by_deadline(status.code)) {
                saw.end = stopped(&saw.method, &PAST_DEADLINE);
            }
        }
        for saw in self.handlers.values_mut() {
            use CancelReason::{CallerGone, ConnectionLost, Deadline};
            let by_deadline = |reason| matches!(reason, Deadline | CallerGone | ConnectionLost);
            // Of two handlers with one deadline, the outer one may be told first what became of the inner one.
            if matches!(&saw.end, HandlerEnd::Stopped(reason, _) if by_deadline(*reason))
                || saw.end == HandlerEnd::Returned
            {
                saw.end = HandlerEnd::stopped(&PAST_DEADLINE);
            }
        }
    }

    /// How much the calls matter.
    pub(super) fn set_criticality(&mut self, criticality: Criticality) {
        for saw in self.layers.values_mut() {
            saw.criticality = criticality;
        }
        for saw in self.handlers.values_mut() {
            saw.criticality = criticality;
        }
    }

    /// Of the status of the second actor the first one has the text only, and hands that on.
    pub(super) fn passes_text_on(&mut self) {
        let told = self.first_layer().end.status();
        *told = StatusParts {
            is_passed_on: true,
            ..StatusParts::answered(Code::Unknown, &told.message)
        };
    }

    pub(super) fn first_layer(&mut self) -> &mut LayerSaw {
        self.layers.get_mut(&Place::First).unwrap()
    }

    pub(super) fn second_layer(&mut self) -> &mut LayerSaw {
        self.layers.get_mut(&Place::Second).unwrap()
    }

    pub(super) fn first_handler(&mut self) -> &mut HandlerSaw {
        self.handlers.get_mut(&Place::First).unwrap()
    }

    pub(super) fn second_handler(&mut self) -> &mut HandlerSaw {
        self.handlers.get_mut(&Place::Second).unwrap()
    }
}

impl End {
    pub(super) fn status(&mut self) -> &mut StatusParts {
        match self {
            Self::Status(told) => told,
            other => panic!("{other:?} is no status"),
        }
    }

    /// What a client of MessagePack-RPC knows of it: the text of what the server said, which may be the name of an error.
    pub(super) fn lose_all_but_text(&mut self) {
        let text = match self {
            Self::Status(told) if told.was_said_by_server() => told.message.clone(),
            Self::Error(text) if text != "Tired" => text.clone(),
            _ => return,
        };
        *self = Self::Status(StatusParts::answered(Code::Unknown, &text));
    }
}
