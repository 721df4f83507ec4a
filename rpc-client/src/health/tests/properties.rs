use std::{sync::Arc, time::Duration};

use proptest::prelude::*;

use super::{NONE, Rig};
use crate::health::{Health, HealthConfig, HealthOutcome};

#[derive(Clone, Debug)]
enum Step {
    Record {
        endpoint: usize,
        outcome: HealthOutcome,
        times: usize,
    },
    Pass(Duration),
    Sweep,
    /// How the probe of one that is asked for went.
    Probed {
        well: bool,
    },
    Join,
    Leave(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![
        Just(HealthOutcome::Success),
        Just(HealthOutcome::Failure),
        Just(HealthOutcome::Neutral)
    ];
    prop_oneof![
        6 => (0..30_usize, outcome, 1..200_usize)
            .prop_map(|(endpoint, outcome, times)| Step::Record { endpoint, outcome, times }),
        2 => (0..20_000_u64).prop_map(|millis| Step::Pass(Duration::from_millis(millis))),
        3 => Just(Step::Sweep),
        1 => any::<bool>().prop_map(|well| Step::Probed { well }),
        1 => Just(Step::Join),
        1 => (0..30_usize).prop_map(Step::Leave),
    ]
}

fn most(count: usize, percent: u8) -> usize {
    match percent {
        0 => 0,
        _ => (count * usize::from(percent) / 100)
            .max(1)
            .min(count.saturating_sub(1)),
    }
}

proptest! {
    /// The cap holds whenever something is ejected, whatever happened before; only endpoints that leave can bring the
    /// share of those that are out above it.
    #[test]
    fn the_cap_is_never_exceeded_and_every_ejection_ends(
        count in 0..25_usize,
        percent in 0..=100_u8,
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 1..150),
    ) {
        fastrand::seed(seed);
        let config = HealthConfig { max_ejected_percent: percent, ..HealthConfig::default() };
        let mut rig = Rig::new(count, config);
        let mut probing: Vec<Arc<Health>> = Vec::new();
        for step in steps {
            match step {
                Step::Record { endpoint, outcome, times } if endpoint < rig.endpoints.len() => {
                    rig.record(endpoint, outcome, times);
                }
                Step::Pass(time) => rig.pass(time),
                Step::Sweep => {
                    let before = rig.ejected();
                    let sweep = rig.sweep();
                    let count = rig.endpoints.len();
                    if !sweep.ejected.is_empty() {
                        prop_assert!(rig.ejected().len() <= most(count, percent));
                    }
                    let mut after = [before, sweep.ejected].concat();
                    after.sort_unstable();
                    prop_assert_eq!(after, rig.ejected());
                    for index in sweep.probe {
                        let endpoint = Arc::clone(&rig.endpoints[index]);
                        prop_assert!(endpoint.is_ejected());
                        let again = probing.iter().any(|known| Arc::ptr_eq(known, &endpoint));
                        prop_assert!(!again, "asked for twice");
                        probing.push(endpoint);
                    }
                }
                Step::Probed { well } => if let Some(endpoint) = probing.pop() {
                    if well {
                        rig.ejector.restored(&endpoint);
                    } else {
                        rig.ejector.still_bad(rig.now, &endpoint);
                    }
                    prop_assert_eq!(endpoint.is_ejected(), !well);
                },
                Step::Join => rig.endpoints.push(Arc::new(Health::new(&rig.config))),
                Step::Leave(endpoint) if endpoint < rig.endpoints.len() => {
                    rig.endpoints.remove(endpoint);
                }
                Step::Record { .. } | Step::Leave(_) => {}
            }
        }
        // The longest ejection later, each one that is out has been asked for, and comes back.
        for endpoint in probing {
            rig.ejector.restored(&endpoint);
        }
        rig.sweep();
        rig.pass(rig.config.max_ejection);
        for index in rig.sweep().probe {
            rig.ejector.restored(&rig.endpoints[index]);
        }
        prop_assert!(rig.sweep().ejected.len() <= most(rig.endpoints.len(), percent));
    }

    #[test]
    fn nothing_is_ejected_by_comparison_below_the_minimum(
        calls in prop::collection::vec((0..200_usize, 0..200_usize), 0..12),
        seed in any::<u64>(),
    ) {
        fastrand::seed(seed);
        let config = HealthConfig { consecutive_failures: None, max_ejected_percent: 100, ..HealthConfig::default() };
        let mut rig = Rig::new(calls.len(), config);
        for (endpoint, (succeeded, failed)) in calls.iter().enumerate() {
            rig.record(endpoint, HealthOutcome::Success, *succeeded);
            rig.record(endpoint, HealthOutcome::Failure, *failed);
        }
        let busy = |requests| calls.iter().filter(|(good, bad)| good + bad >= requests).count();
        let ejected = rig.end_interval().ejected;
        if busy(50) < 5 {
            prop_assert_eq!(&ejected, &NONE);
        }
        for endpoint in ejected {
            let (succeeded, failed) = calls[endpoint];
            let requests = succeeded + failed;
            let by_percentage = requests >= 50 && failed * 100 > requests * 85;
            prop_assert!(by_percentage || (busy(100) >= 5 && requests >= 100));
            prop_assert!(failed > 0, "a healthy one");
        }
    }
}
