use std::collections::BTreeSet;
use std::sync::Arc;

use doge_base::Env;

use super::image::{image_of, is_image, place_of};
use super::mirrors::Mirrors;
use crate::{Instance, ServiceKey, Snapshot};

/// All there is to have: at home here, at home there, two of them at the same place; and what dead bridges left.
const HERE: [(&str, &str); 2] = [("h1", "tcp://x:1"), ("h2", "tcp://y:1")];
const THERE: [(&str, &str); 2] = [("t1", "doge://x:1"), ("t2", "doge://z:1")];
const LEFT_HERE: &str = "doge-bridge-0b0f5c1e-8f6e-4c56-9a55-0c8a4f2f6f3d";
const LEFT_THERE: &str = "doge-bridge-1b0f5c1e-8f6e-4c56-9a55-0c8a4f2f6f3d";
const WORLDS: u32 = 1 << 6;

fn named((id, address): (&str, &str)) -> Instance {
    Instance::named(id, ServiceKey::new("s"), address)
}

/// The instances in both registries that nobody but others put there, one bit for each.
fn world(bits: u32) -> (Vec<Instance>, Vec<Instance>) {
    let is = |bit: u32| bits & (1 << bit) != 0;
    let some = |first: u32, all: [(&str, &str); 2]| {
        (0..2)
            .filter(|at| is(first + at))
            .map(|at| named(all[at as usize]))
            .collect::<Vec<_>>()
    };
    let (mut here, mut there) = (some(0, HERE), some(2, THERE));
    if is(4) {
        here.push(named((LEFT_HERE, "doge://z:1")));
    }
    if is(5) {
        there.push(named((LEFT_THERE, "tcp://y:1")));
    }
    (here, there)
}

/// A bridge over two registries that do at once what they are told.
struct Simulated {
    forth: Mirrors<Instance>,
    back: Mirrors<Instance>,
    images_there: Vec<Instance>,
    images_here: Vec<Instance>,
}

impl Simulated {
    fn new() -> Self {
        Self {
            forth: Mirrors::new(),
            back: Mirrors::new(),
            images_there: Vec::new(),
            images_here: Vec::new(),
        }
    }

    /// Carries out what is planned until nothing is, and says how often there was something.
    fn settle(&mut self, here: &[Instance], there: &[Instance]) -> usize {
        for rounds in 0..10 {
            let now_here = here.iter().chain(&self.images_here).cloned().collect();
            let now_there = there.iter().chain(&self.images_there).cloned().collect();
            let forth = step(
                &mut self.forth,
                &mut self.images_there,
                &now_here,
                &now_there,
            );
            let back = step(&mut self.back, &mut self.images_here, &now_there, &now_here);
            if !forth && !back {
                return rounds;
            }
        }
        panic!("it goes on and on");
    }
}

fn step(
    mirrors: &mut Mirrors<Instance>,
    images: &mut Vec<Instance>,
    home: &Snapshot,
    abroad: &Snapshot,
) -> bool {
    let plan = mirrors.plan(home, abroad);
    let anything = !plan.show.is_empty() || !plan.withdraw.is_empty();
    for original in plan.show {
        let image = image_of(&original, &Env::system());
        images.push(image.clone());
        mirrors.note_shown(original, image);
    }
    images.retain(|image| !plan.withdraw.contains(image));
    anything
}

/// The ids of those that have to be shown: at home here, and their place not there.
fn expected(home: &[Instance], abroad: &[Instance]) -> BTreeSet<String> {
    let natives = || abroad.iter().filter(|instance| !is_image(instance));
    home.iter()
        .filter(|one| !is_image(one) && !natives().any(|other| place_of(other) == place_of(one)))
        .map(|one| one.id().to_owned())
        .collect()
}

fn shown(images: &[Instance]) -> BTreeSet<String> {
    let of = |image: &Instance| image.tags()["bridge-of"].clone();
    let all: BTreeSet<String> = images.iter().map(of).collect();
    assert_eq!(all.len(), images.len(), "one is shown twice");
    all
}

/// From every state of two registries to every other one.
#[test]
fn whatever_comes_and_goes_each_is_shown_once_where_it_is_not_at_home() {
    for before in 0..WORLDS {
        for after in 0..WORLDS {
            let mut bridge = Simulated::new();
            for bits in [before, after] {
                let (here, there) = world(bits);
                let rounds = bridge.settle(&here, &there);
                assert!(rounds <= 1, "{before:b} to {after:b}: {rounds}");
                assert_eq!(shown(&bridge.images_there), expected(&here, &there));
                assert_eq!(shown(&bridge.images_here), expected(&there, &here));
            }
        }
    }
}

#[test]
fn two_bridges_show_each_other_nothing() {
    for bits in 0..WORLDS {
        let (here, there) = world(bits);
        let (mut one, mut other) = (Simulated::new(), Simulated::new());
        for _ in 0..3 {
            let seen_here: Vec<Instance> = here.iter().chain(&other.images_here).cloned().collect();
            let seen_there: Vec<Instance> =
                there.iter().chain(&other.images_there).cloned().collect();
            one.settle(&seen_here, &seen_there);
            std::mem::swap(&mut one, &mut other);
        }
        for bridge in [&one, &other] {
            assert_eq!(shown(&bridge.images_there), expected(&here, &there));
            assert_eq!(shown(&bridge.images_here), expected(&there, &here));
        }
    }
}

fn snapshot(instances: &[&Arc<Instance>]) -> Snapshot {
    instances
        .iter()
        .map(|instance| Arc::clone(instance))
        .collect()
}

#[test]
fn one_that_changes_is_shown_anew() {
    let mut mirrors = Mirrors::new();
    let before = Arc::new(named(HERE[0]));
    let after = Arc::new((*before).clone().with_weight(7));
    mirrors.note_shown(Arc::clone(&before), "image");
    let plan = mirrors.plan(&snapshot(&[&after]), &Snapshot::default());
    assert_eq!((plan.show, plan.withdraw), (vec![after], vec!["image"]));
}

#[test]
fn what_is_not_noted_is_planned_again_and_what_is_passed_over_is_not() {
    let mut mirrors = Mirrors::<()>::new();
    let one = Arc::new(named(HERE[0]));
    let home = snapshot(&[&one]);
    let nobody = Snapshot::default();
    for _ in 0..2 {
        let plan = mirrors.plan(&home, &nobody);
        assert_eq!(plan.show, [Arc::clone(&one)]);
    }
    mirrors.pass_over(Arc::clone(&one));
    assert!(mirrors.plan(&home, &nobody).show.is_empty());
    // It may be another one that comes back under this name, or the same with another address.
    let moved = Arc::new(named(("h1", "tcp://y:1")));
    assert_eq!(mirrors.plan(&snapshot(&[&moved]), &nobody).show, [moved]);
    mirrors.plan(&nobody, &nobody);
    assert_eq!(mirrors.plan(&home, &nobody).show, [one]);
}

#[test]
fn nothing_is_done_on_the_word_of_an_earlier_life() {
    let one = Arc::new(named(HERE[0]));
    let (home, nobody) = (snapshot(&[&one]), Snapshot::default());
    for (home, abroad) in [
        (home.clone().restored(), nobody.clone()),
        (home, nobody.clone().restored()),
        (nobody.clone().restored(), nobody),
    ] {
        let mut mirrors = Mirrors::new();
        mirrors.note_shown(Arc::new(named(HERE[1])), "image");
        let plan = mirrors.plan(&home, &abroad);
        assert!(plan.show.is_empty() && plan.withdraw.is_empty());
        assert_eq!(mirrors.take_all(), ["image"]);
    }
}
