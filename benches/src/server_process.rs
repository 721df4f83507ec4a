use std::{
    io::{self, Write as _},
    net::SocketAddr,
    thread,
};

use tokio::sync::oneshot;

use crate::{Entry, Error, Memory, Meter, Usage, files, process::Process};

/// A server in a process of its own: this program once more, with `--serve`.
#[derive(Debug)]
pub struct ServerProcess {
    process: Process,
    address: SocketAddr,
}

/// A line that asks for the [`Usage`]; the answer is a line of JSON.
const USAGE: &str = "usage";

/// A line that asks for the [`Memory`].
const MEMORY: &str = "memory";

impl ServerProcess {
    /// Starts the server of a contender, and waits until it listens. With data services, it is the one in front of them.
    ///
    /// # Errors
    ///
    /// When the process cannot be started or ends before it listens.
    pub fn start(entry: Entry, data: &[SocketAddr]) -> Result<Self, Error> {
        let mut arguments = vec!["--serve".into(), entry.to_string()];
        arguments.extend(data.iter().map(|address| format!("--data={address}")));
        let mut process = Process::start(arguments)?;
        let address = process.line()?.parse()?;
        Ok(Self { process, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What the process has used so far.
    ///
    /// # Errors
    ///
    /// When the process has ended.
    pub fn usage(&mut self) -> Result<Usage, Error> {
        self.process.tell(USAGE)?;
        self.process.value()
    }

    /// What memory the process has.
    ///
    /// # Errors
    ///
    /// When the process has ended, also because it could not tell.
    pub fn memory(&mut self) -> Result<Memory, Error> {
        self.process.tell(MEMORY)?;
        self.process.value()
    }
}

/// What the program does in the process of a server: serves until its input ends.
///
/// # Errors
///
/// When it cannot listen.
pub fn serve(entry: Entry, data: Vec<SocketAddr>, meter: Meter) -> Result<(), Error> {
    files::allow_many();
    let (bound, address) = oneshot::channel();
    let serving = thread::spawn(move || entry.serve(bound, data));
    let Ok(address) = address.blocking_recv() else {
        return serving.join().map_err(|_| "the server panicked")?;
    };
    let mut output = io::stdout().lock();
    writeln!(output, "{address}")?;
    for asked in io::stdin().lines() {
        let answer = match asked?.as_str() {
            MEMORY => serde_json::to_string(&Memory::read()?)?,
            _ => serde_json::to_string(&meter.read())?,
        };
        writeln!(output, "{answer}")?;
    }
    Ok(())
}
