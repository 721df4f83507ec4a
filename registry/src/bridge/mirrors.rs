use std::collections::BTreeSet;
use std::sync::Arc;

use super::image::{is_image, place_of};
use crate::{Instance, Snapshot};

/// What is shown of one registry in another, and decides what is to be: state without I/O.
///
/// `H` is what keeps an image there.
#[derive(Debug)]
pub(super) struct Mirrors<H> {
    shown: Vec<(Arc<Instance>, H)>,
    /// Those that the other registry cannot hold.
    passed_over: Vec<Arc<Instance>>,
}

/// What has to happen now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan<H> {
    /// Instances of which there is to be an image. They are planned again until they are noted to be shown, or to be
    /// passed over.
    pub(super) show: Vec<Arc<Instance>>,
    /// Images that are to be taken back; they count as gone.
    pub(super) withdraw: Vec<H>,
}

impl<H> Mirrors<H> {
    pub(super) fn new() -> Self {
        Self {
            shown: Vec::new(),
            passed_over: Vec::new(),
        }
    }

    /// What has to happen for the instances of `home` to be shown abroad, where these are `abroad`.
    pub(super) fn plan(&mut self, home: &Snapshot, abroad: &Snapshot) -> Plan<H> {
        let mut plan = Plan {
            show: Vec::new(),
            withdraw: Vec::new(),
        };
        // Nobody knows yet what is there and what has been gone for long.
        if home.is_restored() || abroad.is_restored() {
            return plan;
        }
        let mut wanted = wanted(home, abroad);
        for (original, handle) in std::mem::take(&mut self.shown) {
            match wanted.iter().position(|instance| *instance == original) {
                Some(at) => {
                    wanted.swap_remove(at);
                    self.shown.push((original, handle));
                }
                None => plan.withdraw.push(handle),
            }
        }
        self.passed_over
            .retain(|instance| wanted.contains(instance));
        wanted.retain(|instance| !self.passed_over.contains(instance));
        plan.show = wanted;
        plan
    }

    /// There is an image of `original` now.
    pub(super) fn note_shown(&mut self, original: Arc<Instance>, handle: H) {
        self.shown.push((original, handle));
    }

    /// There can be no image of `original`, as it is.
    pub(super) fn pass_over(&mut self, original: Arc<Instance>) {
        self.passed_over.push(original);
    }

    /// All images, which count as gone.
    pub(super) fn take_all(&mut self) -> Vec<H> {
        let shown = std::mem::take(&mut self.shown);
        shown.into_iter().map(|(_, handle)| handle).collect()
    }
}

/// The instances that are at home there and nowhere else.
fn wanted(home: &Snapshot, abroad: &Snapshot) -> Vec<Arc<Instance>> {
    let natives = abroad.iter().filter(|instance| !is_image(instance));
    let places: BTreeSet<String> = natives.map(|instance| place_of(instance)).collect();
    let own = home.iter().filter(|instance| !is_image(instance));
    own.filter(|instance| !places.contains(&place_of(instance)))
        .cloned()
        .collect()
}
