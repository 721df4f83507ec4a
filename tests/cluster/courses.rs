//! The usual course of a call is flat, and every other course is boxed: whichever a call takes, it is counted alike, and so
//! are its attempts, its endpoints and its retries.

use std::{collections::BTreeMap, time::Duration};

use doge_rpc::{
    CallOptions, Code, Status,
    client::{
        Balancing, CallLimits, Cluster, ClusterBuilder, ClusterStats, EndedCalls, HealthConfig,
        LoadBalancing,
    },
    observe::{Event, Observer},
};
use tower::layer::util::Identity;

use crate::common::{Act, Fleet, Probe, ProbeClient, patient, soon, until_called};

/// What a cluster or a call asks for, and so which course its calls take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    Usual,
    Limited,
    Observed,
    ThroughAttemptLayer,
    ThroughCallLayer,
    WaitsForReady,
}

impl Course {
    const OTHERS: [Self; 5] = [
        Self::Limited,
        Self::Observed,
        Self::ThroughAttemptLayer,
        Self::ThroughCallLayer,
        Self::WaitsForReady,
    ];

    fn of(self, builder: ClusterBuilder) -> ClusterBuilder {
        match self {
            Self::Usual | Self::WaitsForReady => builder,
            Self::Limited => builder.limits(CallLimits::new().concurrency(1_000)),
            Self::Observed => builder.observer(Nobody),
            Self::ThroughAttemptLayer => builder.attempt_layer(Identity::new()),
            Self::ThroughCallLayer => builder.call_layer(Identity::new()),
        }
    }

    fn options(self) -> CallOptions {
        match self {
            Self::WaitsForReady => patient().wait_for_ready(true),
            _ => patient(),
        }
    }
}

#[derive(Debug)]
struct Nobody;

impl Observer for Nobody {
    fn observe(&self, _: &Event<'_>) {}
}

/// What happens to the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scenario {
    Answered,
    ErrorOfTheApplication,
    NotFound,
    UnavailableOnce,
    UnavailableAndNotIdempotent,
    EjectedForFailures,
    EjectedForLateness,
    DroppedByTheCaller,
    Late,
    ConnectionLost,
    ConnectionsLostBefore,
}

impl Scenario {
    const ALL: [Self; 11] = [
        Self::Answered,
        Self::ErrorOfTheApplication,
        Self::NotFound,
        Self::UnavailableOnce,
        Self::UnavailableAndNotIdempotent,
        Self::EjectedForFailures,
        Self::EjectedForLateness,
        Self::DroppedByTheCaller,
        Self::Late,
        Self::ConnectionLost,
        Self::ConnectionsLostBefore,
    ];

    async fn run(self, fleet: &Fleet, cluster: &Cluster, client: &ProbeClient) {
        let late = client.with(CallOptions::new().timeout(Duration::from_millis(50)));
        match self {
            Self::Answered => {
                until_called(async || {
                    client.read(1).await.unwrap();
                    let endpoints = cluster.stats().endpoints;
                    endpoints.iter().all(|it| it.latency.is_some())
                })
                .await;
            }
            Self::ErrorOfTheApplication => {
                fleet.all(&Act::Fail(Status::not_found("")));
                client.argue().await.unwrap_err();
            }
            Self::NotFound => {
                fleet.all(&Act::Fail(Status::not_found("")));
                assert_eq!(code(client.read(1).await), Code::NotFound);
            }
            Self::UnavailableOnce => {
                fleet.next(Act::break_off());
                client.read(1).await.unwrap();
            }
            Self::UnavailableAndNotIdempotent => {
                fleet.next(Act::break_off());
                assert_eq!(code(client.write().await), Code::Unavailable);
            }
            Self::EjectedForFailures => {
                fleet.replicas[0].handlers.act(Act::break_off());
                // Every second call fails.
                until_called(async || {
                    let _ = client.write().await;
                    cluster.stats().ejections == 1
                })
                .await;
            }
            Self::EjectedForLateness => {
                fleet.replicas[0].handlers.act(Act::Hang);
                until_called(async || {
                    let _ = late.read(1).await;
                    cluster.stats().ejections == 1
                })
                .await;
            }
            Self::DroppedByTheCaller => {
                fleet.all(&Act::Hang);
                tokio::select! {
                    answer = client.read(1) => panic!("{answer:?}"),
                    _ = fleet.first_running() => {}
                }
            }
            Self::Late => {
                fleet.all(&Act::Hang);
                assert_eq!(code(late.read(1).await), Code::DeadlineExceeded);
            }
            Self::ConnectionLost => {
                fleet.all(&Act::Hang);
                let call = client.write();
                let cut = async { fleet.first_running().await.proxy.cut() };
                assert_eq!(
                    code(soon(async { tokio::join!(call, cut).0 }).await),
                    Code::Unavailable
                );
            }
            Self::ConnectionsLostBefore => {
                fleet.replicas.iter().for_each(|it| it.proxy.cut());
                // Sent again over a new connection, if the old is not known to be lost.
                until_called(async || client.read(1).await.is_ok()).await;
            }
        }
    }

    /// Whether calls are repeated until something is seen, so that the number of calls is left to chance.
    fn repeats(self) -> bool {
        matches!(
            self,
            Self::Answered
                | Self::EjectedForFailures
                | Self::EjectedForLateness
                | Self::ConnectionsLostBefore
        )
    }
}

fn code<T: std::fmt::Debug>(answer: Result<T, Status>) -> Code {
    answer.unwrap_err().code()
}

#[derive(Debug, Default, PartialEq)]
struct Counted {
    calls_ended: EndedCalls,
    attempts_ended: EndedCalls,
    retries: u64,
    ejections: u64,
    /// Of all endpoints.
    failures: BTreeMap<Code, u64>,
}

impl Counted {
    fn of(stats: &ClusterStats) -> Self {
        let mut failures = BTreeMap::new();
        for (code, count) in stats.endpoints.iter().flat_map(|it| &it.failures) {
            *failures.entry(*code).or_default() += count;
        }
        Self {
            calls_ended: stats.calls_ended.clone(),
            attempts_ended: stats.attempts_ended.clone(),
            retries: stats.retries,
            ejections: stats.ejections,
            failures,
        }
    }
}

async fn counted(course: Course, scenario: Scenario) -> Counted {
    let fleet = Fleet::of(2).await;
    let balancing = Balancing {
        policy: LoadBalancing::RoundRobin,
        slow_start: None,
        ..Balancing::default()
    };
    let health = HealthConfig {
        // Not back within the test.
        consecutive_ejection: Duration::from_secs(3600),
        ..HealthConfig::default()
    };
    let builder = fleet.cluster().balancing(balancing).health(health);
    let (cluster, client) = fleet.follow(course.of(builder)).await;
    let client = client.with(course.options());
    scenario.run(&fleet, &cluster, &client).await;
    let stats = cluster.stats();
    let in_flight: usize = stats.endpoints.iter().map(|it| it.in_flight).sum();
    assert_eq!(in_flight, 0, "{course:?}, {scenario:?}");
    assert_eq!(stats.calls, stats.calls_ended.total(), "{course:?}");
    assert_eq!(stats.attempts, stats.attempts_ended.total(), "{course:?}");
    let mut counted = Counted::of(&stats);
    let of_attempts = counted.attempts_ended.codes.iter();
    let failures: BTreeMap<_, _> = of_attempts
        .filter(|(code, _)| **code != Code::Ok)
        .map(|(code, count)| (*code, *count))
        .collect();
    assert_eq!(counted.failures, failures, "{course:?}, {scenario:?}");
    if scenario.repeats() {
        counted = Counted {
            ejections: counted.ejections,
            ..Counted::default()
        };
    }
    counted
}

#[tokio::test]
async fn a_call_is_counted_alike_whichever_course_it_takes() {
    for scenario in Scenario::ALL {
        let usual = counted(Course::Usual, scenario).await;
        for course in Course::OTHERS {
            assert_eq!(
                counted(course, scenario).await,
                usual,
                "{course:?}, {scenario:?}"
            );
        }
    }
}
