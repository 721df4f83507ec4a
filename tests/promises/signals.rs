//! A process that is asked to stop drains, which the server of doge did not.

use std::{
    env,
    io::Read as _,
    pin::pin,
    process::{ExitStatus, Stdio},
};

use doge_rpc::{prelude::*, server::StopSignal};
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, ChildStdin, Command},
    time::timeout,
};

use crate::support::{Handlers, LIMIT, Probe as _, ProbeClient, patient};

const ADDRESS: &str = "DOGE_TEST_SERVE_AT";
const WAY: &str = "DOGE_TEST_SERVE_HOW";

const ENDED_WELL: i32 = 0;
const INTERRUPTED: i32 = 3;

/// With one line, or in steps.
const WAYS: [&str; 2] = ["serve", "until_signal"];

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
    std::thread::spawn(move || {
        while std::io::stdin().read_exact(&mut [0]).is_ok() {
            handlers.open_gate();
        }
        // The test that started this is gone.
        std::process::exit(2);
    });
    if env::var(WAY).as_deref() == Ok(WAYS[0]) {
        return server.serve(address.as_str()).await.unwrap();
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
    stdin: ChildStdin,
    address: String,
    _folder: TempDir,
}

impl Process {
    fn start(way: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let address = format!("unix://{}", folder.path().join("socket").display());
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "signals::other_process", "--nocapture"])
            .env(ADDRESS, &address)
            .env(WAY, way)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            stdin: child.stdin.take().unwrap(),
            child,
            address,
            _folder: folder,
        }
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
        self.stdin.write_all(b".").await.unwrap();
    }

    /// How it ended.
    async fn ended(&mut self) -> ExitStatus {
        let ended = timeout(LIMIT, self.child.wait()).await;
        ended.expect("it ends").unwrap()
    }
}
