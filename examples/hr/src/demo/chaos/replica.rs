use std::{
    fs::{self, File},
    io,
    os::unix::fs::symlink,
    path::PathBuf,
    process::Stdio,
    rc::Rc,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    time::timeout,
};

use super::ChaosError;
use crate::database;

/// How replicas are started.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    /// Of the databases, and of what the replicas say.
    pub(super) folder: PathBuf,
    pub(super) registry: String,
    pub(super) group: String,
    /// Whole seconds, where the registry does not say it.
    pub(super) ttl: Option<u16>,
}

/// One process that serves a service, under a name that the processes after it have too. It ends with this.
#[derive(Debug)]
pub(super) struct Replica {
    name: String,
    service: &'static str,
    launch: Rc<Launch>,
    process: Option<Child>,
    /// Its standard input: when this process is killed, that ends, and the replica with it.
    lifeline: Option<ChildStdin>,
}

/// How long a process may take to start or to end, on a machine that has a lot to do.
const LIMIT: Duration = Duration::from_secs(30);
const LAST_LINES: usize = 10;
/// The folder of the names by which replicas know the databases.
const DATA: &str = "data-of";

impl Replica {
    pub(super) fn new(service: &'static str, number: usize, launch: &Rc<Launch>) -> Self {
        Self {
            name: format!("{service}-{number}"),
            service,
            launch: Rc::clone(launch),
            process: None,
            lifeline: None,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn service(&self) -> &'static str {
        self.service
    }

    /// Starts a process, and waits until it serves.
    pub(super) async fn start(&mut self) -> Result<(), ChaosError> {
        if !self.data().exists() {
            self.give_data_back()?;
        }
        let child = self.command().and_then(|mut command| command.spawn());
        let child = child.map_err(|source| self.unable(source))?;
        let child = self.process.insert(child);
        // Not left in there: whoever waits for the process to end would close it.
        self.lifeline = child.stdin.take();
        let out = child.stdout.take().expect("its output is piped");
        let mut lines = BufReader::new(out).lines();
        match timeout(LIMIT, lines.next_line()).await {
            Ok(Ok(Some(_))) => Ok(()),
            Ok(_) => Err(self.failed("ended when it was started")),
            Err(_) => Err(self.failed(format!("does not serve within {LIMIT:?}"))),
        }
    }

    /// Kills it, which it cannot notice, and waits until it is gone.
    pub(super) async fn kill(&mut self) -> Result<(), ChaosError> {
        self.signal(Signal::SIGKILL)?;
        self.ended().await
    }

    /// Stops it where it is.
    pub(super) fn pause(&mut self) -> Result<(), ChaosError> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on.
    pub(super) fn resume(&mut self) -> Result<(), ChaosError> {
        self.signal(Signal::SIGCONT)
    }

    /// Takes its database away from under it, and from no other replica.
    pub(super) fn withhold_data(&self) -> Result<(), ChaosError> {
        fs::remove_file(self.data()).map_err(|source| self.unable(source))
    }

    /// Undoes [`withhold_data`](Self::withhold_data).
    pub(super) fn give_data_back(&self) -> Result<(), ChaosError> {
        let data = self.data();
        let made = fs::create_dir_all(self.launch.folder.join(DATA));
        made.and_then(|()| symlink("..", data))
            .map_err(|source| self.unable(source))
    }

    /// How often its database has failed, as its log has it.
    pub(super) fn database_failures(&self) -> Result<u64, ChaosError> {
        let log = fs::read_to_string(self.log()).map_err(|source| self.unable(source))?;
        Ok(log.matches(database::FAILED).count() as u64)
    }

    /// Asks it to end, and waits until it has finished what runs.
    pub(super) async fn drain(&mut self) -> Result<(), ChaosError> {
        self.signal(Signal::SIGTERM)?;
        self.ended().await
    }

    /// Sees to it that there is no process, whatever state it was in.
    pub(super) async fn remove(&mut self) {
        if let Some(mut process) = self.process.take() {
            // One that has ended already cannot be killed, and that is as well.
            let _ = process.kill().await;
        }
    }

    /// Waits until it has ended: by SIGKILL, or by itself and well.
    async fn ended(&mut self) -> Result<(), ChaosError> {
        use std::os::unix::process::ExitStatusExt as _;
        let process = self.process.as_mut().expect("it was started");
        let status = match timeout(LIMIT, process.wait()).await {
            Ok(status) => status.map_err(|source| self.unable(source))?,
            Err(_) => return Err(self.failed(format!("does not end within {LIMIT:?}"))),
        };
        if status.success() || status.signal() == Some(Signal::SIGKILL as i32) {
            self.process = None;
            return Ok(());
        }
        Err(self.failed(format!("ended with {status}")))
    }

    fn signal(&mut self, signal: Signal) -> Result<(), ChaosError> {
        let process = self.process.as_mut().expect("it was started");
        if let Some(status) = process.try_wait().map_err(|source| self.unable(source))? {
            return Err(self.failed(format!("ended by itself with {status}")));
        }
        let id = self.process.as_ref().and_then(Child::id);
        let id = id.and_then(|id| i32::try_from(id).ok());
        let id = id.expect("a process that has not ended has an id");
        kill(Pid::from_raw(id), signal).map_err(|error| self.unable(error.into()))
    }

    fn command(&self) -> io::Result<Command> {
        let Launch {
            program,
            registry,
            group,
            ttl,
            ..
        } = &*self.launch;
        let log = File::options().append(true).create(true).open(self.log())?;
        let mut command = Command::new(program);
        command
            .args(["serve", self.service])
            .args(["--registry", registry, "--group", group])
            .arg("--data")
            .arg(self.data())
            .arg("--until-eof")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        if let Some(ttl) = ttl {
            command.args(["--ttl", &ttl.to_string()]);
        }
        Ok(command)
    }

    /// The name by which this replica, and no other, knows the folder of the databases that all replicas share.
    fn data(&self) -> PathBuf {
        self.launch.folder.join(DATA).join(&self.name)
    }

    fn log(&self) -> PathBuf {
        self.launch.folder.join(format!("{}.log", self.name))
    }

    fn failed(&self, what: impl Into<String>) -> ChaosError {
        let log = self.log();
        let all = fs::read_to_string(&log).unwrap_or_default();
        let mut last: Vec<_> = all.lines().rev().take(LAST_LINES).collect();
        last.reverse();
        ChaosError::Replica {
            replica: self.name.clone(),
            what: what.into(),
            log,
            said: last.join("\n"),
        }
    }

    fn unable(&self, source: io::Error) -> ChaosError {
        ChaosError::Process {
            replica: self.name.clone(),
            source,
        }
    }
}
