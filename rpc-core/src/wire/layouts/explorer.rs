//! The way through a type.

use std::collections::HashSet;

use serde::de::{self, DeserializeOwned};

use super::{StructLayouts, probe::Probe};

/// More parts than a type has that a person wrote. A type that goes on is not complete.
const MOST_PARTS: usize = 10_000;

/// Goes to all parts of a type. What a `Deserialize` is can be found out by nothing but a run of it, which ends at the
/// first value that it does not like. So there is one run for each part, and in a run all turns are taken that lead
/// to this part.
pub(super) struct Explorer<'l> {
    layouts: &'l mut StructLayouts,
    /// Turns to the parts that are still to be seen.
    ahead: Vec<Vec<usize>>,
    /// Parts with parts of their own, by the type of their visitor. Types that contain themselves end here.
    seen: HashSet<(&'static str, &'static str)>,
    /// Whether the run came to its part.
    arrived: bool,
}

/// Ends a run.
#[derive(Debug)]
pub(super) struct Stop;

impl Explorer<'_> {
    pub(super) fn new(layouts: &mut StructLayouts) -> Explorer<'_> {
        Explorer {
            layouts,
            ahead: vec![Vec::new()],
            seen: HashSet::new(),
            arrived: false,
        }
    }

    pub(super) fn explore<T: DeserializeOwned>(mut self) {
        let mut parts = 0;
        while let Some(turns) = self.ahead.pop() {
            self.arrived = false;
            let _ = T::deserialize(Probe::new(&mut self, &turns, 0));
            parts += 1;
            if !self.arrived || parts > MOST_PARTS {
                self.give_up();
            }
        }
    }

    /// The part is here, and there are none in it.
    pub(super) fn leaf(&mut self) -> Stop {
        self.arrived = true;
        Stop
    }

    /// The part is here, and has this many parts, which `V` reads.
    pub(super) fn node<V>(&mut self, name: &'static str, turns: &[usize], parts: usize) -> Stop {
        self.arrived = true;
        if self.seen.insert((std::any::type_name::<V>(), name)) {
            let ahead = (0..parts).map(|part| [turns, &[part]].concat());
            self.ahead.extend(ahead);
        }
        Stop
    }

    pub(super) fn add(
        &mut self,
        name: &'static str,
        variant: Option<&'static str>,
        fields: &'static [&'static str],
    ) {
        self.layouts.add(name, variant, fields);
    }

    /// No struct of the type may be an array.
    pub(super) fn give_up(&mut self) -> Stop {
        self.layouts.complete = false;
        self.ahead.clear();
        self.leaf()
    }
}

impl de::Error for Stop {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the part was found")
    }
}

impl std::error::Error for Stop {}
