//! The load is what it says it is: arrivals keep to their schedule whoever stalls, and one call in a hundred is slow.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use doge_benches::{
    Cell, Contender, Error, Handler, Payload, Work,
    load::{Latencies, Load},
};
use tokio::sync::oneshot;

/// Nobody listens there; these contenders have no servers.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

const WINDOW: Duration = Duration::from_millis(400);
const STALL_AFTER: Duration = Duration::from_millis(150);
const STALL: Duration = Duration::from_millis(200);

/// Answers at once, but for a while in which it does not answer, and keeps its only thread from doing anything else.
#[derive(Clone)]
struct Stalls {
    connected: Instant,
}

/// Answers at once, and counts.
#[derive(Clone)]
struct Counts(Arc<Counters>);

#[derive(Default)]
struct Counters {
    calls: AtomicU64,
    pauses: AtomicU64,
}

impl Contender for Stalls {
    const PACKAGES: &'static [&'static str] = &[];
    type Value = ();

    async fn serve(_: oneshot::Sender<SocketAddr>, _: Handler<Self>) -> Result<(), Error> {
        Ok(())
    }

    async fn connect(_: SocketAddr) -> Result<Self, Error> {
        let connected = Instant::now();
        Ok(Self { connected })
    }

    fn value(_: Payload) -> Result<(), Error> {
        Ok(())
    }

    async fn call(&self, (): ()) -> Result<(), Error> {
        let since = self.connected.elapsed();
        if since >= STALL_AFTER {
            thread::sleep((STALL_AFTER + STALL).saturating_sub(since));
        }
        // As whoever waits for a socket.
        tokio::task::yield_now().await;
        Ok(())
    }

    async fn pause(&self, _: Duration) -> Result<(), Error> {
        Ok(())
    }

    fn run<T: Send + 'static>(
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(work)
    }
}

impl Contender for Counts {
    const PACKAGES: &'static [&'static str] = &[];
    type Value = ();

    async fn serve(_: oneshot::Sender<SocketAddr>, _: Handler<Self>) -> Result<(), Error> {
        Ok(())
    }

    async fn connect(_: SocketAddr) -> Result<Self, Error> {
        Ok(Self(Arc::default()))
    }

    fn value(_: Payload) -> Result<(), Error> {
        Ok(())
    }

    async fn call(&self, (): ()) -> Result<(), Error> {
        tokio::task::yield_now().await;
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn pause(&self, time: Duration) -> Result<(), Error> {
        assert!((5..=15).contains(&time.as_millis()), "{time:?}");
        let calls = self.0.calls.load(Ordering::Relaxed);
        let pauses = self.0.pauses.fetch_add(1, Ordering::Relaxed) + 1;
        // Callers start anywhere in their hundred, so that each may be one ahead or behind.
        assert!(
            pauses <= calls / 100 + CALLERS as u64,
            "{pauses} of {calls}"
        );
        assert!(
            pauses + 2 * CALLERS as u64 >= calls / 100,
            "{pauses} of {calls}"
        );
        Ok(())
    }
}

const CALLERS: usize = 4;

fn put<C: Contender>(cell: Cell, rate: f64) -> Result<Latencies, Error> {
    let load = Load::new(cell, rate);
    let running = load.clone();
    let running = thread::spawn(move || C::run(async move { running.put_on::<C>(NOWHERE).await }));
    while !load.is_warm() {
        thread::yield_now();
    }
    load.begin();
    thread::sleep(WINDOW);
    load.end();
    running.join().map_err(|_| "the load panicked")?
}

#[test]
fn calls_that_had_to_start_during_a_stall_count_from_then() {
    const RATE: f64 = 20_000.0;
    let cell = Cell::small(Work::Open { percent: 50 }, 1);
    let latencies = put::<Stalls>(cell, RATE).unwrap();
    let due = (RATE / 2.0 * WINDOW.as_secs_f64()) as u64;
    // Half of the time nothing could be started, and still all calls were made.
    let made = latencies.len();
    assert!(made > due * 9 / 10, "{made} of {due}");
    // Half of them had to wait for up to the whole stall: a quarter of all for more than half of it.
    let waited = Duration::from_nanos(latencies.value_at_quantile(0.8));
    assert!(waited > STALL / 4, "{waited:?}");
}

#[test]
fn a_closed_loop_does_not_see_a_stall() {
    let latencies = put::<Stalls>(Cell::small(Work::Closed, 1), f64::NAN).unwrap();
    let p99 = Duration::from_nanos(latencies.value_at_quantile(0.99));
    assert!(p99 < STALL / 4, "{p99:?}");
}

#[test]
fn one_call_in_a_hundred_is_slow_and_holds_nobody_up() {
    let latencies = put::<Counts>(Cell::small(Work::Mixed, CALLERS), f64::NAN).unwrap();
    let p99 = Duration::from_nanos(latencies.value_at_quantile(0.99));
    assert!(p99 < Duration::from_millis(5), "{p99:?}");
}
