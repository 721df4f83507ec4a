use super::fake::{Fake, idempotent, ok};
use crate::channel::ConnectWait;
use crate::ha::{Endpoints as _, Failover, Plan, Strategy, failover};

/// A call carries its strategy along. Retries and races are in boxes of their own, made when they are needed; what is
/// left is the timers of the deadline and of the hedge.
#[tokio::test]
async fn a_strategy_adds_little_to_the_future_of_a_call() {
    let (fake, request) = (Fake::new([[ok(0)]]), idempotent());
    let config = Failover::default();
    let plan = Plan::new(Strategy::default());
    let attempt = size_of_val(&fake.attempt(0, &request, ConnectWait::UNTIL_DEADLINE));
    let failover = size_of_val(&failover::run(&config, &fake, &request, &fake.budget));
    let call = size_of_val(&plan.run(&fake, &request, &fake.budget));
    assert!(failover <= attempt + 256, "{failover} for {attempt}");
    assert!(call <= attempt + 576, "{call} for {attempt}");
}

/// What a cluster needs to make calls from any task.
#[tokio::test]
async fn calls_may_move_between_threads() {
    fn movable<T: Send>(future: T) -> T {
        future
    }
    let (fake, request) = (Fake::new([[ok(0)]]), idempotent());
    let plan = Plan::new(Strategy::default());
    movable(plan.run(&fake, &request, &fake.budget))
        .await
        .unwrap();
    assert_eq!(movable(Plan::broadcast(&fake, &request)).await.len(), 1);
}
