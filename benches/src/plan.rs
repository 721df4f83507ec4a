use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Entry, Payload, measure::Window};

/// What is called, and by how many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// What goes through.
    pub payload: Payload,
    /// Callers at once, all on one connection.
    pub concurrency: usize,
}

/// What is measured, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The contenders, in the order in which they take turns.
    pub entries: Vec<Entry>,
    /// What they do.
    pub cells: Vec<Cell>,
    /// How often each of them does it.
    pub rounds: usize,
    /// For how long.
    pub window: Window,
}

impl Plan {
    /// The window of the pass that counts allocations, which are the same in every window.
    pub const COUNTING: Window = Window {
        warm_up: Duration::from_millis(200),
        length: Duration::from_millis(200),
    };

    /// Windows that show that everything works, and numbers not to be believed.
    pub const QUICK: Window = Window {
        warm_up: Duration::from_millis(30),
        length: Duration::from_millis(50),
    };

    /// Windows that tell something.
    pub const FULL: Window = Window {
        warm_up: Duration::from_millis(300),
        length: Duration::from_secs(1),
    };
}
