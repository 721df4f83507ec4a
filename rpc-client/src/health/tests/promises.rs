//! What is promised of health, and what doge did wrong.

use std::time::Duration;

use bytes::Bytes;
use doge_rpc_core::{Code, Status, call::Response};

use super::{NONE, Rig, exact};
use crate::health::HealthOutcome;

/// So many attempts with this answer, with a look whenever it is asked for and at the end of the interval.
fn ejected_by(answer: &Result<Response, Status>, times: usize) -> bool {
    let mut rig = Rig::new(10, exact());
    for endpoint in 1..10 {
        rig.record(endpoint, HealthOutcome::Success, 1000);
    }
    for _ in 0..times {
        if rig.record(0, HealthOutcome::of(answer), 1) {
            rig.sweep();
        }
    }
    rig.end_interval();
    rig.ejected() == [0]
}

#[test]
fn every_code_is_judged() {
    use HealthOutcome::{Failure, Neutral, Success};
    for (code, may_have_run, never_ran) in [
        (Code::Cancelled, Neutral, Neutral),
        (Code::Unknown, Failure, Failure),
        (Code::InvalidArgument, Success, Success),
        (Code::DeadlineExceeded, Failure, Neutral),
        (Code::NotFound, Success, Success),
        (Code::AlreadyExists, Success, Success),
        (Code::PermissionDenied, Success, Success),
        (Code::ResourceExhausted, Neutral, Neutral),
        (Code::FailedPrecondition, Success, Success),
        (Code::Aborted, Success, Success),
        (Code::OutOfRange, Success, Success),
        (Code::Unimplemented, Success, Neutral),
        (Code::Internal, Failure, Failure),
        (Code::Unavailable, Failure, Failure),
        (Code::DataLoss, Failure, Failure),
        (Code::Unauthenticated, Success, Success),
    ] {
        let status = Status::new(code, "");
        assert_eq!(
            HealthOutcome::of(&Err(status.clone())),
            may_have_run,
            "{code:?}"
        );
        assert_eq!(
            HealthOutcome::of(&Err(status.rejected())),
            never_ran,
            "{code:?}"
        );
    }
    assert_eq!(
        HealthOutcome::of(&Ok(Response::from_result(Bytes::new()))),
        Success
    );
    assert_eq!(
        HealthOutcome::of(&Ok(Response::from_error(Bytes::new()))),
        Success
    );
}

#[test]
fn an_endpoint_that_is_not_there_or_does_not_answer_is_ejected() {
    assert!(ejected_by(&Err(Status::unavailable("")), 5));
    assert!(ejected_by(&Err(Status::deadline_exceeded("")), 5));
}

/// Promise 5.
#[test]
fn application_errors_never_eject() {
    assert!(!ejected_by(&Ok(Response::from_error(Bytes::new())), 10_000));
    assert!(!ejected_by(
        &Err(Status::not_found("no employee 7")),
        10_000
    ));
}

/// Promise 6.
#[test]
fn overload_never_ejects() {
    let pushback = Duration::from_millis(100);
    let overloaded = Status::resource_exhausted("full").with_pushback(pushback);
    assert!(!ejected_by(&Err(overloaded.rejected()), 10_000));
}

/// Defect 5 of doge: a node that was down for longer than 10 s never came back.
#[test]
fn a_node_that_was_down_for_long_comes_back() {
    let mut rig = Rig::new(3, exact());
    rig.record(0, HealthOutcome::Failure, 5);
    let start = rig.now;
    let mut probes = 0;
    let mut next = rig.sweep().next;
    while rig.now - start < Duration::from_secs(24 * 3600) {
        rig.now = next;
        let sweep = rig.sweep();
        next = sweep.next;
        if sweep.probe == [0] {
            probes += 1;
            rig.ejector.still_bad(rig.now, &rig.endpoints[0]);
            next = rig.sweep().next;
        }
    }
    // 5 + 10 + … + 300 s are 60 probes; each 300 s thereafter one.
    assert_eq!(probes, 60 + (24 * 3600 - 60 * 61 / 2 * 5) / 300);
    rig.pass(Duration::from_secs(300));
    assert_eq!(rig.sweep().probe, [0]);
    rig.ejector.restored(&rig.endpoints[0]);
    assert_eq!(rig.ejected(), NONE);
    // Nor is that held against it for longer than the longest ejection makes it.
    for _ in 0..60 {
        rig.end_interval();
    }
    rig.record(0, HealthOutcome::Failure, 5);
    assert_eq!(rig.sweep().next, rig.now + Duration::from_secs(5));
}

/// Defect 11 of doge: ten calls of an unknown method marked a healthy node down.
#[test]
fn calls_of_an_unknown_method_do_not_eject() {
    let unknown = Status::unimplemented("hr.employee has no method \"fire\"");
    assert!(!ejected_by(&Err(unknown.rejected()), 1000));
}

/// Defect 14 of doge: calls that found the client's own pool full counted as errors of the node.
#[test]
fn calls_that_found_no_room_here_do_not_eject() {
    let full = Status::resource_exhausted("10000 calls wait for room on the connection already");
    assert!(!ejected_by(&Err(full.rejected()), 1000));
    let late = Status::deadline_exceeded("no room on the connection before the deadline");
    assert!(!ejected_by(&Err(late.rejected()), 1000));
}
