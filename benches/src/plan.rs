use std::{fmt, time::Duration};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::{Entry, Payload, measure::Window};

/// What is called, and by how many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// How it is called.
    pub work: Work,
    /// What goes through.
    pub payload: Payload,
    /// Connections, over which the callers are spread evenly.
    pub connections: usize,
    /// Callers at once.
    pub concurrency: usize,
}

/// How a server is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// Every caller calls as fast as it is answered.
    Closed,
    /// The same, and beside every hundredth call a slow one.
    Mixed,
    /// As [`Closed`](Self::Closed), but the server asks two others for each answer.
    Chain,
    /// Calls arrive whether or not earlier ones are answered, at this share of the rate of the closed loop before.
    Open {
        /// In percent.
        percent: u32,
    },
}

/// A question that the benchmark answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Workload {
    /// How fast callers are served that wait for their answers.
    Closed,
    /// How fast calls are served that come at a fixed rate.
    Open,
    /// Whether slow calls slow the others.
    Mixed,
    /// How fast a service is that asks other services.
    Chain,
    /// What memory an idle connection takes.
    Idle,
    /// What memory calls in flight take.
    InFlight,
    /// How many system calls a call takes.
    Syscalls,
}

/// Cells that are measured one right after the other, since the later ones are compared with the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// What they are for.
    pub workload: Workload,
    /// In their order.
    pub cells: Vec<Cell>,
}

/// What is measured in rounds, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The contenders, in the order in which they take turns.
    pub entries: Vec<Entry>,
    /// What they do.
    pub groups: Vec<Group>,
    /// How often each of them does it.
    pub rounds: usize,
    /// For how long.
    pub window: Window,
}

impl Cell {
    /// Callers of the small struct on one connection.
    pub fn small(work: Work, concurrency: usize) -> Self {
        Self {
            work,
            payload: Payload::Small,
            connections: 1,
            concurrency,
        }
    }
}

impl Work {
    /// Whether the server has to have handlers for it.
    pub fn needs_handlers(self) -> bool {
        matches!(self, Self::Mixed | Self::Chain)
    }
}

impl Plan {
    /// The window of the pass that counts allocations, which are the same in every window.
    pub const COUNTING: Window = Window {
        warm_up: Duration::from_millis(200),
        length: Duration::from_millis(200),
    };

    /// Windows that show that everything works, and numbers not to be believed.
    pub const QUICK: Window = Window {
        warm_up: Duration::from_millis(20),
        length: Duration::from_millis(40),
    };

    /// Windows that tell something.
    pub const FULL: Window = Window {
        warm_up: Duration::from_millis(150),
        length: Duration::from_millis(600),
    };

    /// Whether anything is measured for this.
    pub fn has(&self, workload: Workload) -> bool {
        self.cells(workload).next().is_some()
    }

    /// All cells that are measured for this.
    pub fn cells(&self, workload: Workload) -> impl Iterator<Item = Cell> {
        let groups = self.groups.iter();
        groups
            .filter(move |group| group.workload == workload)
            .flat_map(|group| group.cells.iter().copied())
    }

    /// Those who take part in a cell.
    pub fn entries(&self, cell: Cell) -> impl Iterator<Item = Entry> {
        let entries = self.entries.iter().copied();
        entries.filter(move |entry| entry.handles() || !cell.work.needs_handlers())
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            work,
            payload,
            connections,
            concurrency,
        } = self;
        match work {
            Work::Closed => {}
            Work::Mixed => f.write_str("with slow ones, ")?,
            Work::Chain => f.write_str("chain, ")?,
            Work::Open { percent } => write!(f, "open loop at {percent} %, ")?,
        }
        write!(f, "{payload} × {concurrency}")?;
        if *connections > 1 {
            write!(f, " over {connections}")?;
        }
        Ok(())
    }
}
