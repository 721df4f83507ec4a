//! A process that is asked to stop drains, which the server of doge did not.

use std::{
    env,
    io::Read as _,
    os::fd::OwnedFd,
    pin::pin,
    process::{ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use doge_rpc::{prelude::*, server::StopSignal, transport::Listener};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    task::JoinSet,
    time::timeout,
};

use crate::support::{Handlers, LIMIT, Probe as _, ProbeClient, patient};

const ADDRESS: &str = "DOGE_TEST_SERVE_AT";
const WAY: &str = "DOGE_TEST_SERVE_HOW";

const ENDED_WELL: i32 = 0;
const INTERRUPTED: i32 = 3;

/// With one line, or in steps.
const WAYS: [&str; 2] = ["serve", "until_signal"];
/// On sockets that the process was started with.
const INHERITED: &str = "inherited";
/// At a port that others listen at as well.
const SHARED: &str = "shared";

/// What a process says that shares a port, once it serves.
const SERVING: &str = "it serves";

#[tokio::test]
async fn a_process_that_is_asked_to_stop_answers_what_runs_and_ends_well() {
    for (signal, way) in ["TERM", "INT"].into_iter().zip(WAYS) {
        let mut process = Process::start(way);
        let client = process.client().await;
        let mut running = pin!(client.gated());
        until_there(&client, running.as_mut()).await;

        process.signal(signal).await;
        until_refused(&client).await;
        process.open_gate().await;
        running.await.unwrap();
        let ended = process.ended().await;
        assert_eq!(ended.code(), Some(ENDED_WELL), "{way}, {signal}");
    }
}

#[tokio::test]
async fn asked_once_more_it_waits_for_nothing() {
    for (way, expected) in WAYS.into_iter().zip([ENDED_WELL, INTERRUPTED]) {
        let mut process = Process::start(way);
        let client = process.client().await;
        let mut running = pin!(client.hang());
        until_there(&client, running.as_mut()).await;

        process.signal("TERM").await;
        until_refused(&client).await;
        process.signal("INT").await;
        // Well before the grace time of 20 s.
        let ended = process.ended().await;
        assert_eq!(ended.code(), Some(expected), "{way}");
        assert_eq!(running.await.unwrap_err().code(), Code::Unavailable);
    }
}

#[tokio::test]
async fn a_hangup_neither_ends_nor_drains_a_process() {
    for way in WAYS {
        let mut process = Process::start(way);
        let client = process.client().await;
        process.signal("HUP").await;
        for value in 0..100 {
            assert_eq!(client.echo(value).await, Ok(value), "{way}");
        }
        process.signal("TERM").await;
        assert_eq!(process.ended().await.code(), Some(ENDED_WELL), "{way}");
    }
}

/// As systemd starts a service whose socket it holds.
#[tokio::test]
async fn a_process_serves_on_the_sockets_that_it_was_started_with() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let client = ProbeClient::connect(&address).unwrap();
    let client = client.with(patient().wait_for_ready(true));
    for _ in 0..2 {
        let socket = OwnedFd::from(listener.try_clone().unwrap());
        let mut command = Command::new("sh");
        // The socket is the third file of the process, after the three that each has.
        let start = r#"LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@" 3<&0 </dev/null"#;
        command
            .arg("-c")
            .arg(start)
            .arg(env::current_exe().unwrap());
        let mut process = Process::spawn(&mut command, INHERITED, &address, Stdio::from(socket));
        // Between two processes connections wait at the socket, which is open all the time.
        assert_eq!(client.echo(1).await, Ok(1));
        process.signal("TERM").await;
        assert_eq!(process.ended().await.code(), Some(ENDED_WELL));
    }
}

/// Several processes at one port, each restarted while the others serve: no call fails.
#[tokio::test]
async fn processes_that_share_a_port_are_restarted_in_turn_without_a_failed_call() {
    let reserved = Listener::with_others(&"127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = reserved.address().to_string();
    let start = || {
        let mut command = Command::new(env::current_exe().unwrap());
        Process::spawn(&mut command, SHARED, &address, Stdio::null())
    };
    let mut processes = [start(), start()];
    // Who has reserved the port takes no connections from here on.
    for process in &mut processes {
        process.is_serving().await;
    }
    drop(reserved);
    let (stop, answered) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
    );
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
        let address = address.clone();
        calls.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                // A client of its own for a few calls, so that connections are made all the time. The system resets a
                // connection that waits in the queue of a socket which is closed.
                let client = ProbeClient::connect(&address).unwrap();
                let client = client.with(patient().wait_for_ready(true));
                for value in 0..20 {
                    assert_eq!(client.echo(value).await, Ok(value));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    for _ in 0..3 {
        for process in &mut processes {
            // Processes live for longer than a client of this test.
            let goal = answered.load(Ordering::Relaxed) + 500;
            while answered.load(Ordering::Relaxed) < goal && !calls.is_empty() {
                tokio::task::yield_now().await;
                if let Some(ended) = calls.try_join_next() {
                    ended.unwrap();
                }
            }
            process.signal("TERM").await;
            assert_eq!(process.ended().await.code(), Some(ENDED_WELL));
            *process = start();
            process.is_serving().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    calls.join_all().await;
}

/// Waits until the handler of this call runs: the answer to what was sent after it is there.
async fn until_there(client: &ProbeClient, call: impl Future<Output = Result<(), Status>>) {
    let mut call = pin!(call);
    assert!(futures_util::poll!(call.as_mut()).is_pending());
    assert_eq!(client.echo(1).await, Ok(1));
    assert!(futures_util::poll!(call).is_pending());
}

/// Waits until no new call is taken, as a drain does.
async fn until_refused(client: &ProbeClient) {
    let refused = async {
        loop {
            match client.echo(1).await {
                Ok(_) => tokio::task::yield_now().await,
                Err(status) => return status,
            }
        }
    };
    let status = timeout(LIMIT, refused).await.expect("the drain begins");
    assert!(status.never_ran(), "{status}");
}

/// Not a test by itself: what the process of the tests above runs.
#[tokio::test]
async fn other_process() {
    let Ok(address) = env::var(ADDRESS) else {
        return;
    };
    let handlers = Handlers::default();
    let server = handlers.server();
    if WAYS.contains(&env::var(WAY).unwrap().as_str()) {
        std::thread::spawn(move || {
            while std::io::stdin().read_exact(&mut [0]).is_ok() {
                handlers.open_gate();
            }
            // The test that started this is gone.
            std::process::exit(2);
        });
    }
    let way = env::var(WAY).unwrap();
    if way == WAYS[0] {
        return server.serve(address.as_str()).await.unwrap();
    }
    if way == INHERITED {
        let sockets = Listener::from_environment().unwrap();
        assert_eq!(sockets.len(), 1);
        return server.serve(sockets).await.unwrap();
    }
    if way == SHARED {
        let place = address.strip_prefix("tcp://").unwrap().parse().unwrap();
        let mut stop = StopSignal::listen().unwrap();
        let listener = Listener::with_others(&place).await.unwrap();
        let server = server.start(listener).await.unwrap();
        println!("{SERVING}");
        server.until_signal(&mut stop).await.unwrap();
        return;
    }
    let mut stop = StopSignal::listen().unwrap();
    let server = server.start(address.as_str()).await.unwrap();
    if server.until_signal(&mut stop).await.is_err() {
        std::process::exit(INTERRUPTED);
    }
}

/// The other process, which ends with its test.
struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    address: String,
    _folder: Option<TempDir>,
}

impl Process {
    fn start(way: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let address = format!("unix://{}", folder.path().join("socket").display());
        let mut command = Command::new(env::current_exe().unwrap());
        Self {
            _folder: Some(folder),
            ..Self::spawn(&mut command, way, &address, Stdio::piped())
        }
    }

    fn spawn(command: &mut Command, way: &str, address: &str, stdin: Stdio) -> Self {
        let mut child = command
            .args(["--exact", "signals::other_process", "--nocapture"])
            .env(ADDRESS, address)
            .env(WAY, way)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            stdin: child.stdin.take(),
            child,
            address: address.to_owned(),
            _folder: None,
        }
    }

    /// Waits until the process says that it serves.
    async fn is_serving(&mut self) {
        let stdout = self.child.stdout.as_mut().unwrap();
        let mut lines = BufReader::new(stdout).lines();
        let said = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains(SERVING) {
                    return true;
                }
            }
            false
        };
        assert!(timeout(LIMIT, said).await.expect("it starts"));
    }

    /// A client of the process, which is there by then.
    async fn client(&self) -> ProbeClient {
        let client = ProbeClient::connect(self.address.as_str()).unwrap();
        let waiting = client.with(patient().wait_for_ready(true));
        assert_eq!(waiting.echo(1).await, Ok(1));
        client.with(patient())
    }

    async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs");
        let kill = Command::new("sh")
            .args(["-c", &format!("kill -{name} {id}")])
            .status();
        assert!(kill.await.unwrap().success());
    }

    async fn open_gate(&mut self) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(b".").await.unwrap();
    }

    /// How it ended.
    async fn ended(&mut self) -> ExitStatus {
        let ended = timeout(LIMIT, self.child.wait()).await;
        ended.expect("it ends").unwrap()
    }
}
