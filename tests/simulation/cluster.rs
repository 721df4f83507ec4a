//! A cluster under crashes, drains, cuts and a registry that lies.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use doge_rpc::{
    Env,
    client::Cluster,
    connection::Limits,
    registry::{Instance, ServiceKey},
    testing::{Conditions, Host, Simulation},
};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::ledger::{Books, Counts, Ledger as _, LedgerClient, LedgerServer, Work};

const SERVERS: usize = 3;
const CLIENTS: usize = 2;
const CALLERS: usize = 3;

/// How long faults happen.
const FAULTS: Duration = Duration::from_secs(3);

/// In which time all is as it should be, once the faults are over: the longest ejection and pause of a connector, with room
/// for an attempt to connect.
const RECOVERY: Duration = Duration::from_secs(120);

/// How long a registration outlives its process.
const TIME_TO_LIVE: Duration = Duration::from_secs(2);

/// In which time a handler has stopped whose caller gave it up, and a server has let go of a call, once the network is
/// whole.
const LET_GO: Duration = Duration::from_secs(15);

/// Calls of one client that a server takes at once.
const MAX_CALLS: u32 = 24;

/// A call may end this much after its deadline: timers have a resolution of a millisecond, and the first tick may be late.
const GRACE: Duration = Duration::from_millis(5);

fn key() -> ServiceKey {
    ServiceKey::new("sim.ledger")
}

fn server_host(simulation: &Simulation, number: usize) -> Host {
    simulation.host(format!("server-{number}"))
}

/// What runs at a server host: it serves until it is asked to drain, and then no more.
async fn serve(host: Host, books: Books, drain: Arc<Notify>) {
    let address = format!("tcp://{}:7000", host.name());
    books.begins(host.name());
    let limits = Limits {
        max_calls: MAX_CALLS,
        ..Limits::default()
    };
    let server = host
        .server()
        .add(LedgerServer::new(books.handlers(host.name())));
    let server = server.limits(limits).grace(Duration::from_secs(5));
    let server = server.start(address).await.unwrap();
    let mut drained = pin!(drain.notified());
    drained.as_mut().enable();
    while timeout(Duration::from_millis(50), drained.as_mut())
        .await
        .is_err()
    {
        books.server_runs(host.name(), server.stats().calls_running);
    }
    server.drain().await;
    books.drained(host.name());
    host.simulation()
        .record(format_args!("{}: drained", host.name()));
}

/// A caller that makes calls until it is told to stop.
async fn call(client: LedgerClient, env: Env, books: Books, next: Arc<AtomicU64>, until: Instant) {
    while Instant::now() < until {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let work = Work {
            time: [0, 0, 1, 10, 50, 300][env.index(6)],
            load: "x".repeat([0, 10, 1_000, 20_000, 200_000][env.index(5)]),
        };
        let time = Duration::from_millis([50, 200, 1_000, 1_000][env.index(4)]);
        let kind = env.index(4);
        if kind == 3 {
            hang(&client, &env, &books, number).await;
            continue;
        }
        books.asked(number, kind > 0);
        let began = Instant::now();
        let client = client.with(doge_rpc::CallOptions::new().timeout(time));
        let calling = async {
            match kind {
                0 => client.enter(number, work).await,
                1 => client.look(number, work).await,
                _ => client.glance(number, work).await,
            }
        };
        if env.below(8) == 0 {
            let patience = time.mul_f64(env.fraction());
            match timeout(patience, calling).await {
                Ok(answer) => books.ended(number, &answer),
                Err(_) => books.dropped(number),
            }
        } else {
            let answer = calling.await;
            let took = began.elapsed();
            assert!(
                took <= time + GRACE,
                "call {number} of {time:?} took {took:?}: {answer:?}"
            );
            books.ended(number, &answer);
        }
        sleep(Duration::from_millis(env.below(40))).await;
    }
}

/// A call that would go on for long, and that its caller gives up.
async fn hang(client: &LedgerClient, env: &Env, books: &Books, number: u64) {
    books.asked(number, false);
    let work = Work {
        time: 3_600_000,
        load: String::new(),
    };
    let client = client.with(doge_rpc::CallOptions::new().timeout(Duration::from_secs(3_600)));
    let patience = Duration::from_millis(1 + env.below(300));
    match timeout(patience, client.enter(number, work)).await {
        Ok(answer) => books.ended(number, &answer),
        Err(_) => books.dropped(number),
    }
}

/// Starts a server again; what was registered before expires some time later.
fn restart(server: &Host) {
    server.restart();
    let server = server.clone();
    tokio::spawn(async move { server.expire(TIME_TO_LIVE).await });
}

/// One fault, and its end.
async fn fault(simulation: &Simulation, drains: &[Arc<Notify>]) {
    let env = simulation.env();
    let network = simulation.network();
    let server = server_host(simulation, env.index(SERVERS));
    let client = format!("client-{}", env.index(CLIENTS));
    let number: usize = server.name().rsplit('-').next().unwrap().parse().unwrap();
    let pause = Duration::from_millis(env.below(800));
    let kind = env.index(9);
    simulation.record(format_args!(
        "fault {kind} at {} and {client} for {pause:?}",
        server.name()
    ));
    match kind {
        0 => {
            server.crash();
            sleep(pause).await;
            restart(&server);
        }
        1 => {
            server.cut_power();
            sleep(pause).await;
            restart(&server);
        }
        2 => {
            drains[number].notify_waiters();
            sleep(pause + Duration::from_secs(6)).await;
            restart(&server);
        }
        3 => {
            network.partition(&client, server.name());
            sleep(pause).await;
            network.heal();
        }
        4 => {
            network.cut(server.name(), &client);
            sleep(pause).await;
            network.heal();
        }
        5 => network.stall(&client, server.name(), pause),
        6 => network.reset(&client, server.name()),
        7 => {
            let reset_after = Some(1 + env.below(100_000));
            let slow = Duration::from_millis(env.below(200));
            let conditions = Conditions {
                delay: Duration::ZERO..=slow,
                reset_after,
                ..Conditions::default()
            };
            network.set_link(server.name(), &client, conditions);
            sleep(pause).await;
            network.heal();
        }
        _ => {
            let registry = simulation.registry();
            match env.index(3) {
                0 => registry.forget(),
                1 => registry.fall_silent(),
                _ => {
                    let rogue = |number: u64| {
                        let address = format!("tcp://nobody-{number}:1");
                        Instance::new_in(env, key(), address)
                    };
                    registry.lie((0..1 + env.below(5)).map(rogue));
                }
            }
            sleep(pause).await;
            registry.restore();
        }
    }
}

/// Nothing of a call is left, all endpoints are back, and what the clients see is what is registered.
fn is_well(
    simulation: &Simulation,
    clusters: &[Cluster],
    books: &Books,
    counts: &[Counts],
) -> Result<(), String> {
    books.are_closed()?;
    let truth = simulation.registry().truth(&key());
    if truth.len() != SERVERS {
        return Err(format!("{} servers are registered", truth.len()));
    }
    for (cluster, counts) in clusters.iter().zip(counts) {
        let (stats, counted) = (cluster.stats(), counts.read());
        let seen: Vec<_> = stats
            .endpoints
            .iter()
            .map(|it| it.instance.as_str())
            .collect();
        let registered: Vec<_> = truth.iter().map(|it| it.id()).collect();
        if seen != registered {
            return Err(format!("a client sees {seen:?} of {registered:?}"));
        }
        if let Some(out) = stats
            .endpoints
            .iter()
            .find(|it| !it.connected || it.ejected)
        {
            return Err(format!("an endpoint is not back: {out:?}"));
        }
        if let Some(busy) = stats.endpoints.iter().find(|it| it.in_flight > 0) {
            return Err(format!("an endpoint has calls in flight: {busy:?}"));
        }
        if counted.calls_started != counted.calls_ended
            || counted.attempts_started != counted.attempts_ended
        {
            return Err(format!("not every call and attempt has ended: {counted:?}"));
        }
    }
    Ok(())
}

async fn scenario(simulation: Simulation) {
    let books = Books::default();
    let drains: Vec<_> = (0..SERVERS).map(|_| Arc::new(Notify::new())).collect();
    for (number, drain) in drains.iter().enumerate() {
        let (books, drain) = (books.clone(), Arc::clone(drain));
        let host = server_host(&simulation, number);
        host.run(move |host| serve(host, books.clone(), Arc::clone(&drain)));
    }
    simulation.always({
        let books = books.clone();
        move || books.hold()
    });
    let (mut clusters, mut counts) = (Vec::new(), Vec::new());
    for number in 0..CLIENTS {
        let (host, count) = (
            simulation.host(format!("client-{number}")),
            Counts::default(),
        );
        let cluster = host
            .cluster(LedgerClient::cluster())
            .observer(count.clone());
        clusters.push(cluster.follow().await.unwrap());
        counts.push(count);
    }
    let began = Instant::now();
    let next = Arc::new(AtomicU64::new(0));
    let mut callers = JoinSet::new();
    for cluster in &clusters {
        for _ in 0..CALLERS {
            let client = LedgerClient::new(cluster.clone());
            let env = Env::seeded(simulation.env().number());
            let calls = call(
                client,
                env,
                books.clone(),
                Arc::clone(&next),
                began + FAULTS + Duration::from_secs(1),
            );
            callers.spawn(calls);
        }
    }
    while began.elapsed() < FAULTS {
        sleep(Duration::from_millis(simulation.env().below(400))).await;
        fault(&simulation, &drains).await;
    }
    simulation.network().heal();
    simulation.registry().restore();
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    // From here on nobody calls, and all is well in time.
    let healed = Instant::now();
    while let Err(why) = books.are_closed() {
        assert!(healed.elapsed() < LET_GO, "not within {LET_GO:?}: {why}");
        sleep(Duration::from_millis(50)).await;
    }
    loop {
        match is_well(&simulation, &clusters, &books, &counts) {
            Ok(()) => break,
            Err(_) if healed.elapsed() < RECOVERY => sleep(Duration::from_millis(100)).await,
            Err(why) => panic!("not within {RECOVERY:?}: {why}"),
        }
    }
    for (cluster, counted) in clusters.iter().zip(&counts) {
        let (stats, counted) = (cluster.stats(), counted.read());
        // A token for each ten calls, and what there is at the start and each second.
        let seconds = began.elapsed().as_secs() + 1;
        let budget = counted.calls_started / 5 + 10 * seconds;
        assert!(
            counted.further <= budget,
            "{} retries and hedges of {stats:?}",
            counted.further
        );
    }
    for cluster in &clusters {
        fill(cluster, &books, &next).await;
    }
}

/// Makes as many calls at once as all servers take together: none finds a place that a call before has kept.
async fn fill(cluster: &Cluster, books: &Books, next: &AtomicU64) {
    let client = LedgerClient::new(cluster.clone());
    let calls = (0..MAX_CALLS * 2).map(|_| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        books.asked(number, false);
        let client = &client;
        async move {
            let work = Work {
                time: 100,
                load: String::new(),
            };
            let answer = client.enter(number, work).await;
            books.ended(number, &answer);
            answer.unwrap();
        }
    });
    futures_util::future::join_all(calls).await;
}

/// A thousand seeds, in parts that run beside each other.
macro_rules! promises_hold {
    ($($name:ident: $first:literal,)*) => {$(
        #[test]
        fn $name() {
            Simulation::seeds(125).from($first).run(scenario);
        }
    )*};
}

promises_hold! {
    promises_hold_from_seed_0: 0,
    promises_hold_from_seed_125: 125,
    promises_hold_from_seed_250: 250,
    promises_hold_from_seed_375: 375,
    promises_hold_from_seed_500: 500,
    promises_hold_from_seed_625: 625,
    promises_hold_from_seed_750: 750,
    promises_hold_from_seed_875: 875,
}

#[test]
fn a_seed_is_one_log() {
    Simulation::seeds(20).run_twice(scenario);
}
