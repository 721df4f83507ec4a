use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use doge_rpc_core::{
    Status,
    observe::{Event, Observer, Side},
    transport::Address,
};
use parking_lot::Mutex;

use super::observers::tell;

/// The connections to one address, and their observers. Each observer gets one event when a connection opens and one
/// when it closes, however many clusters share the channel.
#[derive(Debug)]
pub(crate) struct Connections {
    address: Address,
    opened: AtomicU64,
    generation: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// One entry per subscription.
    observers: Vec<Arc<dyn Observer>>,
    /// Open connections by number, with the observers that got their open event.
    open: BTreeMap<u64, Vec<Arc<dyn Observer>>>,
    why_last_closed: Option<Cow<'static, str>>,
}

/// Subscribes an observer until this is dropped. A connection that is open then still reports its close.
#[derive(Debug)]
pub(crate) struct Subscription {
    connections: Arc<Connections>,
    observer: Arc<dyn Observer>,
}

/// An open connection, which closes when this is dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    connections: Arc<Connections>,
    number: u64,
    why_closed: Cow<'static, str>,
}

impl Connections {
    pub(crate) fn new(address: Address) -> Self {
        Self {
            address,
            opened: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// The number of connections opened so far.
    pub(crate) fn opened(&self) -> u64 {
        self.opened.load(Relaxed)
    }

    /// The reason of the last close.
    pub(crate) fn why_last_closed(&self) -> Option<String> {
        let state = self.state.lock();
        state.why_last_closed.as_deref().map(str::to_owned)
    }

    /// A number that grows when calls go over another connection than before, and where calls go over several at once, when
    /// one of them is lost under its call.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Relaxed)
    }

    /// Calls go over another connection, or one of several was lost.
    pub(crate) fn next_generation(&self) {
        self.generation.fetch_add(1, Relaxed);
    }

    /// Subscribes an observer, which first gets an event for each open connection.
    pub(crate) fn subscribe(self: &Arc<Self>, observer: &Arc<dyn Observer>) -> Subscription {
        let mut state = self.state.lock();
        state.observers.push(Arc::clone(observer));
        for told in state.open.values_mut() {
            if !is_among(told, observer) {
                told.push(Arc::clone(observer));
                // Under the lock, so that the close of the connection is reported after this.
                let opened = Event::ConnectionOpened(Side::Client, &self.address);
                tell(&**observer, &opened);
            }
        }
        Subscription {
            connections: Arc::clone(self),
            observer: Arc::clone(observer),
        }
    }

    /// Reports an opened connection.
    pub(crate) fn open(self: &Arc<Self>) -> OpenConnection {
        let number = self.opened.fetch_add(1, Relaxed);
        let mut state = self.state.lock();
        let observers = state.distinct();
        state.open.insert(number, observers.clone());
        drop(state);
        let opened = Event::ConnectionOpened(Side::Client, &self.address);
        tell_all(&observers, &opened);
        OpenConnection {
            connections: Arc::clone(self),
            number,
            why_closed: Cow::Borrowed("its task was stopped"),
        }
    }

    /// Reports a failed attempt to connect.
    pub(crate) fn failed(&self, why: &Status) {
        let observers = self.state.lock().distinct();
        tell_all(&observers, &Event::ConnectFailed(&self.address, why));
    }
}

impl State {
    fn distinct(&self) -> Vec<Arc<dyn Observer>> {
        let mut distinct = Vec::with_capacity(self.observers.len());
        for observer in &self.observers {
            if !is_among(&distinct, observer) {
                distinct.push(Arc::clone(observer));
            }
        }
        distinct
    }
}

impl OpenConnection {
    /// Sets the reason of the close that follows.
    pub(crate) fn closes(&mut self, why: impl Into<Cow<'static, str>>) {
        self.why_closed = why.into();
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let Connections { address, state, .. } = &*self.connections;
        let told = {
            let mut state = state.lock();
            state.why_last_closed = Some(self.why_closed.clone());
            state.open.remove(&self.number).unwrap_or_default()
        };
        let closed = Event::ConnectionClosed(Side::Client, address, &self.why_closed);
        tell_all(&told, &closed);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.connections.state.lock();
        let mut observers = state.observers.iter();
        if let Some(own) = observers.position(|it| is(it, &self.observer)) {
            // Not the last reference, which this subscription holds.
            state.observers.swap_remove(own);
        }
    }
}

fn tell_all(observers: &[Arc<dyn Observer>], event: &Event<'_>) {
    observers.iter().for_each(|it| tell(&**it, event));
}

fn is_among(observers: &[Arc<dyn Observer>], observer: &Arc<dyn Observer>) -> bool {
    observers.iter().any(|it| is(it, observer))
}

/// By address alone: the same observer may be seen through several tables of its methods.
fn is(one: &Arc<dyn Observer>, other: &Arc<dyn Observer>) -> bool {
    std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}
