mod cells;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, ValueEnum};

use crate::{Entry, Payload, Plan, Workload, costs::Held};

/// End-to-end benchmark: client and server as two processes on loopback.
#[derive(Clone, Debug, Parser)]
pub struct Options {
    /// Only shows that everything works: one short round of a few cells.
    #[arg(long)]
    quick: bool,
    /// Only these questions.
    #[arg(long, value_delimiter = ',', value_enum)]
    workload: Vec<Workload>,
    /// Rounds; the tables have the medians.
    #[arg(long)]
    rounds: Option<usize>,
    /// Only these contenders.
    #[arg(long, value_delimiter = ',', value_enum)]
    contender: Vec<Entry>,
    /// Only these payloads, in the closed loop.
    #[arg(long, value_delimiter = ',', value_enum)]
    payload: Vec<Payload>,
    /// Only these numbers of callers, in the closed loop.
    #[arg(long, value_delimiter = ',')]
    concurrency: Vec<usize>,
    /// Only these numbers of connections, in the closed loop.
    #[arg(long, value_delimiter = ',')]
    connections: Vec<usize>,
    /// Rewrites the tables between the markers in this file, and the plots beside it; relative to the workspace.
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
    /// Serves until the input ends: what this program does in the process of the server.
    #[arg(long, hide = true, value_enum)]
    serve: Option<Entry>,
    /// Holds connections or calls of the contender: what this program does in the process of such a client.
    #[arg(long, hide = true)]
    hold: Option<Held>,
    /// The data services that the server asks, or the server of the client that holds something.
    #[arg(long, hide = true)]
    data: Vec<SocketAddr>,
}

/// What the program is to be in this process.
#[derive(Clone, Debug)]
pub enum Role {
    /// Nothing: it was started as a test, and has none.
    None,
    /// The server of a contender, in front of these data services if there are any.
    Server(Entry, Vec<SocketAddr>),
    /// A client of a contender, to look at its memory.
    Holder(Entry, SocketAddr, Held),
    /// The client of all of them.
    Client,
}

/// What costs are looked at.
#[derive(Clone, Debug)]
pub struct CostsPlan {
    /// Whose.
    pub entries: Vec<Entry>,
    /// Idle connections.
    pub connections: Option<usize>,
    /// Calls in flight.
    pub calls: Option<usize>,
    /// Callers whose system calls are counted.
    pub syscalls: Vec<usize>,
}

impl Options {
    /// The options of the command line; nothing but a help text comes of wrong ones.
    pub fn from_arguments() -> Self {
        let ours = |argument: String| {
            ["--bench", "--serve"].contains(&argument.as_str()) || argument.starts_with("--hold=")
        };
        // A test runner has options of its own, such as `--list`, which need not be understood to have no tests.
        if std::env::args().any(ours) {
            Self::parse()
        } else {
            Self::parse_from(std::iter::empty::<&str>())
        }
    }

    /// What to do.
    pub fn role(&self) -> Role {
        match (self.serve, self.hold) {
            (Some(entry), _) => Role::Server(entry, self.data.clone()),
            (None, Some(held)) => match (&self.contender[..], &self.data[..]) {
                (&[entry], &[server]) => Role::Holder(entry, server, held),
                _ => Role::None,
            },
            (None, None) if self.bench => Role::Client,
            (None, None) => Role::None,
        }
    }

    /// What to measure in rounds.
    pub fn plan(&self) -> Plan {
        Plan {
            entries: all_if_empty(&self.contender),
            groups: self.groups(),
            rounds: self.rounds.unwrap_or(if self.quick { 1 } else { 3 }),
            window: if self.quick { Plan::QUICK } else { Plan::FULL },
        }
    }

    /// What to measure once.
    pub fn costs(&self) -> CostsPlan {
        let workloads = all_if_empty(&self.workload);
        let wanted = |workload| workloads.contains(&workload);
        let callers: &[usize] = match (wanted(Workload::Syscalls), self.quick) {
            (false, _) => &[],
            (true, true) => &[16],
            (true, false) => &[1, 16, 128, 1024],
        };
        let connections = if self.quick { 100 } else { 10_000 };
        CostsPlan {
            entries: all_if_empty(&self.contender),
            connections: wanted(Workload::Idle).then_some(connections),
            calls: wanted(Workload::InFlight).then_some(1024),
            syscalls: callers.to_vec(),
        }
    }

    /// The file that has the tables.
    pub fn markdown(&self) -> Option<PathBuf> {
        let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        self.markdown.as_ref().map(|file| workspace.join(file))
    }
}

fn all_if_empty<T: ValueEnum + Copy>(wanted: &[T]) -> Vec<T> {
    if wanted.is_empty() {
        T::value_variants().to_vec()
    } else {
        wanted.to_vec()
    }
}
