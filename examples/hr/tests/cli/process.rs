//! Processes, each of which ends with its test.

use std::{ffi::OsStr, path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

const LIMIT: Duration = Duration::from_secs(60);

/// What a process left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `hr` in this folder to its end.
pub(crate) async fn hr<S: AsRef<OsStr>>(
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Ended {
    let output = timeout(LIMIT, command(folder, arguments).output()).await;
    let output = output.expect("hr ends").unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs `hr` with a command line without quotes, and returns what it says when all goes well.
pub(crate) async fn succeed(folder: &Path, line: &str) -> String {
    let ended = hr(folder, line.split_whitespace()).await;
    assert_eq!(
        (ended.code, ended.err.as_str()),
        (Some(0), ""),
        "hr {line}: {}",
        ended.out
    );
    ended.out
}

/// Runs `hr` with a command line without quotes, and returns what it says when it fails.
pub(crate) async fn fail(folder: &Path, line: &str) -> String {
    let ended = hr(folder, line.split_whitespace()).await;
    assert_ne!(ended.code, Some(0), "hr {line}: {}", ended.out);
    ended.err
}

/// An `hr serve` that is there when it is made.
pub(crate) struct Server {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts to serve, and waits until each service says where.
    pub(crate) async fn start(folder: &Path, services: &[&str]) -> Self {
        let options = ["--registry", "file:registry", "--data", "data"];
        let arguments = ["serve"].iter().chain(services).chain(&options);
        let mut child = command(folder, arguments).spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let mut server = Self {
            child,
            out: BufReader::new(out).lines(),
        };
        for service in services {
            let line = timeout(LIMIT, server.out.next_line())
                .await
                .expect("hr serves");
            let line = line.unwrap().expect("hr serves");
            assert!(
                line.starts_with(&format!("hr.{service} at tcp://127.0.0.1:")),
                "{line}"
            );
        }
        server
    }

    /// Sends a signal, and returns the exit code.
    pub(crate) async fn stop(mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().expect("it runs");
        let kill = format!("kill -{signal} {id}");
        let sent = Command::new("sh").args(["-c", &kill]).status().await;
        assert!(sent.unwrap().success());
        let ended = timeout(LIMIT, self.child.wait()).await;
        ended.expect("hr ends").unwrap().code()
    }
}

fn command<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hr"));
    command
        .args(arguments)
        .current_dir(folder)
        // Where the demo makes its folder, so that what it leaves would be seen.
        .env("TMPDIR", folder)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}
