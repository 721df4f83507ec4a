use std::{net::SocketAddr, path::PathBuf};

use clap::Parser;

use crate::{Cell, Entry, Payload, Plan};

/// End-to-end benchmark: client and server as two processes on loopback, over one connection.
#[derive(Clone, Debug, Parser)]
pub struct Options {
    /// Only shows that everything works: one short round.
    #[arg(long)]
    quick: bool,
    /// Rounds; the table has the medians.
    #[arg(long)]
    rounds: Option<usize>,
    /// Only these contenders.
    #[arg(long, value_delimiter = ',', value_enum)]
    contender: Vec<Entry>,
    /// Only these payloads.
    #[arg(long, value_delimiter = ',', value_enum)]
    payload: Vec<Payload>,
    /// Only these numbers of callers.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 128, 1024])]
    concurrency: Vec<usize>,
    /// Rewrites the table between the markers in this file; relative to the workspace.
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
    /// Serves until the input ends: what this program does in the process of the server.
    #[arg(long, hide = true, value_enum)]
    serve: Option<Entry>,
    /// The data services that the server asks.
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
    /// The client of all of them.
    Client,
}

impl Options {
    /// The options of the command line; nothing but a help text comes of wrong ones.
    pub fn from_arguments() -> Self {
        let test = !std::env::args().any(|argument| argument == "--bench" || argument == "--serve");
        // A test runner has options of its own, such as `--list`, which need not be understood to have no tests.
        if test {
            Self::parse_from(std::iter::empty::<&str>())
        } else {
            Self::parse()
        }
    }

    /// What to do.
    pub fn role(&self) -> Role {
        match self.serve {
            Some(entry) => Role::Server(entry, self.data.clone()),
            None if self.bench => Role::Client,
            None => Role::None,
        }
    }

    /// What to measure.
    pub fn plan(&self) -> Plan {
        let payloads = all_if_empty(&self.payload);
        let cell = |payload| {
            self.concurrency.iter().map(move |&concurrency| Cell {
                payload,
                concurrency,
            })
        };
        Plan {
            entries: all_if_empty(&self.contender),
            cells: payloads.into_iter().flat_map(cell).collect(),
            rounds: self.rounds.unwrap_or(if self.quick { 1 } else { 5 }),
            window: if self.quick { Plan::QUICK } else { Plan::FULL },
        }
    }

    /// The file that has the table.
    pub fn markdown(&self) -> Option<PathBuf> {
        let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        self.markdown.as_ref().map(|file| workspace.join(file))
    }
}

fn all_if_empty<T: clap::ValueEnum + Copy>(wanted: &[T]) -> Vec<T> {
    if wanted.is_empty() {
        T::value_variants().to_vec()
    } else {
        wanted.to_vec()
    }
}
