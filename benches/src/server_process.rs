use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
};

use tokio::sync::oneshot;

use crate::{Entry, Error, Meter, Usage};

/// A server in a process of its own: this program once more, with `--serve`. Killed when dropped.
///
/// A line to its input asks for its usage; a line of JSON is the answer.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl ServerProcess {
    /// Starts the server of a contender, and waits until it listens. With data services, it is the one in front of them.
    ///
    /// # Errors
    ///
    /// When the process cannot be started or ends before it listens.
    pub fn start(entry: Entry, data: &[SocketAddr]) -> Result<Self, Error> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--serve", &entry.to_string()])
            .args(data.iter().map(|address| format!("--data={address}")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the server has no pipes".into());
        };
        let mut output = BufReader::new(output);
        let address = line(&mut output)?.trim_end().parse()?;
        Ok(Self {
            child,
            input,
            output,
            address,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the process has used so far.
    ///
    /// # Errors
    ///
    /// When the process has ended.
    pub fn usage(&mut self) -> Result<Usage, Error> {
        self.input.write_all(b"\n")?;
        Ok(serde_json::from_str(&line(&mut self.output)?)?)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Nothing is left to do when it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the program does in the process of a server: serves until its input ends.
///
/// # Errors
///
/// When it cannot listen.
pub fn serve(entry: Entry, data: Vec<SocketAddr>, meter: Meter) -> Result<(), Error> {
    let (bound, address) = oneshot::channel();
    let serving = thread::spawn(move || entry.serve(bound, data));
    let Ok(address) = address.blocking_recv() else {
        return serving.join().map_err(|_| "the server panicked")?;
    };
    let mut output = io::stdout().lock();
    writeln!(output, "{address}")?;
    for asked in io::stdin().lines() {
        asked?;
        writeln!(output, "{}", serde_json::to_string(&meter.read())?)?;
    }
    Ok(())
}

fn line(output: &mut BufReader<ChildStdout>) -> Result<String, Error> {
    let mut line = String::new();
    if output.read_line(&mut line)? == 0 {
        return Err("the server process has ended".into());
    }
    Ok(line)
}
