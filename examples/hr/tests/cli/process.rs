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

/// Runs `hr` with a command line without quotes that breaks what it calls, and returns what it says when that does no harm.
/// Nothing but warnings may be in the log.
pub(crate) async fn survive(folder: &Path, line: &str) -> String {
    let ended = hr(folder, line.split_whitespace()).await;
    assert_eq!(ended.code, Some(0), "hr {line}: {}{}", ended.out, ended.err);
    let mut logged = ended.err.lines();
    assert!(logged.all(|line| line.contains(" WARN ")), "{}", ended.err);
    ended.out
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
    address: String,
}

impl Server {
    /// Starts to serve, and waits until each service says where.
    pub(crate) async fn start(folder: &Path, services: &[&str]) -> Self {
        Self::start_with(folder, services, &[]).await
    }

    /// The same with options.
    pub(crate) async fn start_with(folder: &Path, services: &[&str], options: &[&str]) -> Self {
        let usual = ["--registry", "file:registry"];
        Self::start_at(folder, services, &[&usual, options].concat()).await
    }

    /// The same with options that say which registry.
    pub(crate) async fn start_at(folder: &Path, services: &[&str], options: &[&str]) -> Self {
        Self::start_on(folder, services, &[&["--data", "data"], options].concat()).await
    }

    /// The same with options that say which registry and which data.
    pub(crate) async fn start_on(folder: &Path, services: &[&str], options: &[&str]) -> Self {
        let arguments = ["serve"].iter().chain(options);
        let mut child = command(folder, arguments.chain(services)).spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let mut server = Self {
            child,
            out: BufReader::new(out).lines(),
            address: String::new(),
        };
        for service in services {
            let line = server.line().await;
            let address = line.strip_prefix(&format!("hr.{service} at "));
            address.expect(&line).clone_into(&mut server.address);
            assert!(server.address.starts_with("tcp://127.0.0.1:"), "{line}");
        }
        server
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Kills it, which it cannot notice.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    async fn line(&mut self) -> String {
        let line = timeout(LIMIT, self.out.next_line()).await;
        line.expect("hr serves").unwrap().expect("hr serves")
    }

    /// Sends a signal, and returns the exit code.
    pub(crate) async fn stop(self, name: &str) -> Option<i32> {
        self.end(name).await.code
    }

    /// Sends a signal, and returns what the process left.
    pub(crate) async fn end(self, name: &str) -> Ended {
        signal(&self.child, name).await;
        let output = timeout(LIMIT, self.child.wait_with_output()).await;
        let output = output.expect("hr ends").unwrap();
        Ended {
            code: output.status.code(),
            out: String::new(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// An `hr demo` that plays.
pub(crate) struct Demo {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
}

impl Demo {
    /// Starts it, with a command line without quotes.
    pub(crate) fn start(folder: &Path, line: &str) -> Self {
        let mut child = command(folder, line.split_whitespace()).spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let out = BufReader::new(out).lines();
        Self { child, out }
    }

    /// Waits for a line with this text in it.
    pub(crate) async fn line_with(&mut self, text: &str) -> String {
        loop {
            let line = timeout(LIMIT, self.out.next_line()).await;
            let line = line.expect("the demo plays").unwrap();
            let line = line.expect("the demo goes on");
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Kills it, which it cannot notice.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Interrupts it, as Ctrl-C does.
    pub(crate) async fn interrupt(self) -> Ended {
        signal(&self.child, "INT").await;
        let output = timeout(LIMIT, self.child.wait_with_output()).await;
        let output = output.expect("the demo ends").unwrap();
        Ended {
            code: output.status.code(),
            out: String::new(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

async fn signal(child: &Child, name: &str) {
    let id = child.id().expect("it runs");
    let kill = format!("kill -{name} {id}");
    let sent = Command::new("sh").args(["-c", &kill]).status().await;
    assert!(sent.unwrap().success());
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
