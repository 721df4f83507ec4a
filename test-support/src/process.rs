use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::eventually;

/// A process of a test: it is killed when this is dropped, and what it prints can be waited for.
///
/// ```
/// use std::{process::Command, time::Duration};
/// use doge_test_support::Process;
///
/// let limit = Duration::from_secs(20);
/// let mut process = Process::start(Command::new("sh").args(["-c", "echo ready at 7; cat"]));
/// assert_eq!(process.line(limit, |line| line.starts_with("ready")), "ready at 7");
/// process.say("hello");
/// process.line(limit, |line| line == "hello");
/// process.kill();
/// assert!(!process.is_running());
/// ```
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: Arc<Output>,
    /// Lines of output that were waited for already.
    read: usize,
}

impl Process {
    /// Starts the command; its output, of both kinds, is kept here, and its input is open until it ends.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let output = Arc::new(Output::default());
        collect(child.stdout.take().unwrap(), &output, true);
        collect(child.stderr.take().unwrap(), &output, false);
        Self {
            name,
            child,
            output,
            read: 0,
        }
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the next line on its standard output that is as wanted, and returns it; earlier lines are skipped.
    ///
    /// # Panics
    ///
    /// When there is none within `limit`, or the output ends before; shows all that it printed.
    #[track_caller]
    pub fn line(&mut self, limit: Duration, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + limit;
        loop {
            let Some(line) = self.output.line(self.read, deadline) else {
                panic!("no such line of {}; it said:\n{}", self.name, self.output());
            };
            self.read += 1;
            if wanted(&line) {
                return line;
            }
        }
    }

    /// All that it has printed so far, on standard output and standard error.
    pub fn output(&self) -> String {
        self.output.state.lock().unwrap().all.clone()
    }

    /// Writes a line to its standard input.
    ///
    /// # Panics
    ///
    /// When it no longer reads.
    pub fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Kills it (`SIGKILL`), which it cannot notice, and waits until it is gone.
    pub fn kill(&mut self) {
        // One that has ended already cannot be killed, and that is as well.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// Asks it to end (`SIGTERM`).
    pub fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    /// Interrupts it (`SIGINT`), as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    /// Stops it where it is (`SIGSTOP`): its connections stay open and nothing answers.
    pub fn pause(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on (`SIGCONT`).
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    ///
    /// When it does not within `limit`; shows all that it printed.
    #[track_caller]
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let what = format!("{} ends", self.name);
        let mut ended = None;
        eventually(limit, &what, || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        });
        ended.unwrap()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.id()).unwrap());
        kill(pid, signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a process prints, while it does.
#[derive(Debug, Default)]
struct Output {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    all: String,
    ended: bool,
}

impl Output {
    /// The line of standard output with this number, once it is there; none if there will be none before the deadline.
    fn line(&self, number: usize, deadline: Instant) -> Option<String> {
        let left = deadline.saturating_duration_since(Instant::now());
        let state = self.state.lock().unwrap();
        let (state, _) = self
            .changed
            .wait_timeout_while(state, left, |state| {
                state.lines.len() <= number && !state.ended
            })
            .unwrap();
        state.lines.get(number).cloned()
    }

    fn add(&self, line: String, standard: bool) {
        let mut state = self.state.lock().unwrap();
        state.all.push_str(&line);
        state.all.push('\n');
        if standard {
            state.lines.push(line);
        }
        self.changed.notify_all();
    }

    fn end(&self) {
        self.state.lock().unwrap().ended = true;
        self.changed.notify_all();
    }
}

fn collect(from: impl Read + Send + 'static, output: &Arc<Output>, standard: bool) {
    let output = Arc::clone(output);
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            output.add(String::from_utf8_lossy(&line).into_owned(), standard);
        }
        if standard {
            output.end();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Process {
        Process::start(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn a_paused_process_answers_once_it_goes_on() {
        let mut process = shell("cat");
        process.pause();
        process.say("hello");
        process.resume();
        process.line(LIMIT, |line| line == "hello");
    }

    #[test]
    fn it_ends_with_its_own_code_or_by_a_signal() {
        assert_eq!(shell("exit 3").wait(LIMIT).code(), Some(3));
        let mut process = shell("cat");
        process.terminate();
        assert_eq!(process.wait(LIMIT).code(), None);
    }

    #[test]
    #[should_panic(expected = "it said:\nlast words")]
    fn a_line_that_never_comes_shows_what_came() {
        shell("echo last words >&2; sleep 0.2; echo").line(LIMIT, |line| line == "first");
    }
}
