use doge_rpc_core::Status;
use proptest::{prelude::*, strategy::Strategy as Generator, test_runner::TestCaseError};

use super::fake::{
    Act, Fake, application_error, broken, dead, fails, idempotent, inside_a_retry, ms, ok, once,
    refused, silent, within,
};
use crate::ha::{BackupRequest, Failover, HedgeDelay, Strategy};

fn act() -> impl Generator<Value = Act> {
    let after = 0_u64..120;
    prop_oneof![
        1 => after.clone().prop_map(ok),
        1 => after.clone().prop_map(application_error),
        3 => after.clone().prop_map(dead),
        3 => after.clone().prop_map(broken),
        2 => (0_u64..50).prop_map(refused),
        1 => after.clone().prop_map(|after| fails(after, Status::internal("a bug"))),
        1 => after.clone().prop_map(|after| fails(after, Status::deadline_exceeded("late"))),
        1 => after.prop_map(|after| {
            fails(after, Status::deadline_exceeded("no connection").not_sent())
        }),
        1 => (0_u64..120).prop_map(|after| {
            fails(after, Status::invalid_argument("too large").not_sent())
        }),
        1 => Just(silent()),
    ]
}

fn strategies() -> impl Generator<Value = Strategy> {
    let failover =
        (0_u32..5, prop::option::of(5_u64..100)).prop_map(|(retries, timeout)| Failover {
            retries,
            attempt_timeout: timeout.map(ms),
            ..Failover::default()
        });
    let backup = (failover.clone(), 0_u64..60).prop_map(|(failover, delay)| BackupRequest {
        delay: HedgeDelay::After(ms(delay)),
        ratio: 1.0,
        failover,
        ..BackupRequest::default()
    });
    prop_oneof![
        failover.prop_map(Strategy::Failover),
        backup.prop_map(Strategy::BackupRequest),
        Just(Strategy::Failfast),
        Just(Strategy::Failsafe(crate::ha::Failsafe::default())),
    ]
}

/// Whether an attempt that ended so may have reached its handler.
fn may_have_run(act: &Act) -> bool {
    !act.answer().as_ref().is_err_and(Status::never_ran)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever endpoints do: what is not idempotent runs at most once, nothing runs on after its call, every call
    /// ends by its deadline, and a call that says it never ran did not.
    #[test]
    fn whatever_happens(
        scripts in prop::collection::vec(prop::collection::vec(act(), 1..4), 0..6),
        strategy in strategies(),
        is_idempotent in any::<bool>(),
        in_retry in any::<bool>(),
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let request = within(200, &if is_idempotent { idempotent() } else { once() });
            let request = if in_retry { inside_a_retry(request) } else { request };
            let fake = Fake::new(scripts);
            let result = fake.run(strategy.clone(), &request).await;

            let acts = fake.acts();
            let ran = acts.iter().filter(|act| may_have_run(act)).count();
            prop_assert!(fake.now() <= 200);
            prop_assert_eq!(fake.running(), 0);
            if !is_idempotent {
                prop_assert!(ran <= 1, "{:?}", fake.seen());
            }
            if let Err(status) = result {
                prop_assert!(!status.never_ran() || ran == 0, "{} {:?}", status, acts);
            }
            for seen in fake.seen() {
                prop_assert!(seen.retry || !in_retry);
                prop_assert_eq!(seen.number == 0, seen.retry == in_retry);
            }
            Ok::<_, TestCaseError>(())
        })?;
    }
}
