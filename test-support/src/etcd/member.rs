use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Process, free_port};

const STOPS_WITHIN: Duration = Duration::from_secs(30);
/// What it says when it cannot listen.
const PORT_TAKEN: &str = "address already in use";
const PAUSE: Duration = Duration::from_millis(10);
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// One member: its settings and data, and its process while it runs.
#[derive(Debug)]
pub(super) struct Member {
    arguments: Vec<String>,
    client_port: u16,
    /// Serves the state of health without TLS, whatever clients have to use.
    health_port: u16,
    folder: TempDir,
    process: Option<Process>,
}

impl Member {
    pub(super) fn new(scheme: &str, mut arguments: Vec<String>) -> Self {
        let (client_port, health_port) = (free_port(), free_port());
        let client = format!("{scheme}://127.0.0.1:{client_port}");
        arguments.push(format!("--listen-client-urls={client}"));
        arguments.push(format!("--advertise-client-urls={client}"));
        arguments.push(format!(
            "--listen-metrics-urls=http://127.0.0.1:{health_port}"
        ));
        Self {
            arguments,
            client_port,
            health_port,
            folder: tempfile::tempdir().unwrap(),
            process: None,
        }
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.client_port)
    }

    pub(super) fn is_up(&self) -> bool {
        self.process.is_some()
    }

    pub(super) fn start(&mut self) {
        let mut command = Command::new("etcd");
        command
            .arg(format!("--data-dir={}", self.folder.path().display()))
            .args(&self.arguments)
            // Only what is said here counts.
            .env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        self.process = Some(Process::start(&mut command));
    }

    /// Waits until it is healthy; false if somebody else has taken one of its ports.
    ///
    /// # Panics
    ///
    /// When it ends for another reason or takes too long.
    pub(super) fn becomes_healthy(&mut self, limit: Duration) -> bool {
        let started = Instant::now();
        while !self.is_healthy() {
            let process = self.process.as_mut().unwrap();
            if !process.is_running() {
                let log = self.log();
                assert!(log.contains(PORT_TAKEN), "etcd ended; it said:\n{log}");
                return false;
            }
            assert!(
                started.elapsed() < limit,
                "etcd is not healthy within {limit:?}; it said:\n{}",
                self.log()
            );
            thread::sleep(PAUSE);
        }
        true
    }

    pub(super) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.terminate();
            process.wait(STOPS_WITHIN);
        }
    }

    pub(super) fn kill(&mut self) {
        self.process = None;
    }

    pub(super) fn wipe(&mut self) {
        assert!(self.process.is_none(), "a running member needs its data");
        self.folder = tempfile::tempdir().unwrap();
    }

    pub(super) fn backup(&self) -> TempDir {
        assert!(self.process.is_none(), "a running member changes its data");
        let backup = tempfile::tempdir().unwrap();
        copy(self.folder.path(), backup.path());
        backup
    }

    pub(super) fn restore(&mut self, backup: &TempDir) {
        self.wipe();
        copy(backup.path(), self.folder.path());
    }

    pub(super) fn pause(&self) {
        self.process.as_ref().unwrap().pause();
    }

    pub(super) fn resume(&self) {
        self.process.as_ref().unwrap().resume();
    }

    pub(super) fn metric(&self, name: &str) -> Option<f64> {
        let answer = get(self.health_port, "/metrics").ok()?;
        let found = answer.lines().find_map(|line| line.strip_prefix(name));
        found?.trim().parse().ok()
    }

    pub(super) fn log(&self) -> String {
        self.process
            .as_ref()
            .map(Process::output)
            .unwrap_or_default()
    }

    fn is_healthy(&self) -> bool {
        get(self.health_port, "/health").is_ok_and(|answer| answer.contains(r#""health":"true""#))
    }
}

/// All files below a folder.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn get(port: u16, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
