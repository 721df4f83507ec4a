use doge_base::Env;
use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::*;
use crate::etcd::failure::Reason;

type Waiting = oneshot::Receiver<Result<(), Refusal>>;

const TTL: Duration = Duration::from_secs(15);

fn none_yet() -> Desired {
    Desired::new(TTL, &Env::seeded(1))
}

fn add(desired: &Desired, path: &str) -> Waiting {
    let (done, answer) = oneshot::channel();
    assert!(
        desired
            .add(path, "/s/".to_owned(), b"v".to_vec(), done)
            .is_some()
    );
    answer
}

/// Has the one removed that is there now.
fn remove(desired: &Desired, path: &str) -> Waiting {
    let generation = desired.lock().entries[path].generation;
    remove_one(desired, path, generation)
}

fn remove_one(desired: &Desired, path: &str, generation: u64) -> Waiting {
    let (done, answer) = oneshot::channel();
    desired.remove(path, generation, Some(b"bye".to_vec()), done);
    answer
}

fn put(desired: &Desired, lease: i64) -> Batch {
    match desired.next(Instant::now()) {
        Next::Put(with, batch) if with == lease => batch,
        other => panic!("{other:?} and not a put with {lease}"),
    }
}

fn delete(desired: &Desired) -> Batch {
    match desired.next(Instant::now()) {
        Next::Delete(_, batch) => batch,
        other => panic!("{other:?} and not a delete"),
    }
}

/// Registers it, as the writer does.
fn there(desired: &Desired, path: &str, lease: i64, revision: i64) {
    let answer = add(desired, path);
    desired.set_lease(Some(lease));
    for job in &put(desired, lease).entries {
        desired.confirm(job, lease, revision);
    }
    assert!(matches!(answer.now_or_never(), Some(Ok(Ok(())))));
}

fn denied() -> Failure {
    Failure::new(Reason::Denied, "denied")
}

fn failure() -> Failure {
    Failure::new(Reason::Member, "away")
}

#[test]
fn an_instance_is_put_once_there_is_a_lease_and_deleted_at_the_end() {
    let desired = none_yet();
    let registered = add(&desired, "/s/a");
    assert!(desired.starts() && !desired.starts());
    assert!(matches!(desired.next(Instant::now()), Next::Wait(None)));
    desired.set_lease(Some(1));
    let batch = put(&desired, 1);
    assert!(batch.entries[0].is_new);
    desired.confirm(&batch.entries[0], 1, 10);
    assert!(matches!(registered.now_or_never(), Some(Ok(Ok(())))));
    assert!(matches!(desired.next(Instant::now()), Next::Wait(None)));

    let left = remove(&desired, "/s/a");
    desired.deleted(&delete(&desired).entries[0]);
    assert!(matches!(left.now_or_never(), Some(Ok(Ok(())))));
    assert!(matches!(desired.next(Instant::now()), Next::End(Some(1))));
    assert!(!desired.starts(), "there is nothing to start for");
}

#[test]
fn a_new_lease_has_everything_put_again_and_an_old_one_confirms_nothing() {
    let desired = none_yet();
    there(&desired, "/s/a", 1, 10);
    desired.set_lease(None);
    assert!(matches!(desired.next(Instant::now()), Next::Wait(None)));
    desired.set_lease(Some(2));
    let batch = put(&desired, 2);
    assert!(!batch.entries[0].is_new);
    desired.confirm(&batch.entries[0], 1, 11);
    let batch = put(&desired, 2);
    desired.confirm(&batch.entries[0], 2, 12);
    assert!(matches!(desired.next(Instant::now()), Next::Wait(None)));
    assert!(desired.is_ours(1) && desired.is_ours(2) && !desired.is_ours(3));
}

#[test]
fn a_lease_that_was_not_lost_after_all_has_everything_on_it() {
    let desired = none_yet();
    there(&desired, "/s/a", 1, 10);
    desired.set_lease(None);
    desired.set_lease(Some(1));
    assert!(matches!(desired.next(Instant::now()), Next::Wait(None)));
}

#[test]
fn only_what_others_did_after_it_was_put_has_it_put_again() {
    let desired = none_yet();
    there(&desired, "/s/a", 1, 10);
    desired.touched("/s/a", None, 10);
    desired.touched("/s/a", Some(1), 11);
    desired.touched("/s/b", None, 11);
    desired.lost(&[("/s/a".to_owned(), 9)]);
    assert!(matches!(desired.next(Instant::now()), Next::Wait(None)));
    desired.touched("/s/a", None, 11);
    desired.confirm(&put(&desired, 1).entries[0], 1, 12);
    desired.touched("/s/a", Some(0), 13);
    desired.confirm(&put(&desired, 1).entries[0], 1, 14);
    desired.lost(&desired.confirmed());
    assert_eq!(put(&desired, 1).entries.len(), 1);
}

#[test]
fn what_is_deleted_while_there_is_no_lease_is_put_again() {
    let desired = none_yet();
    there(&desired, "/s/a", 1, 10);
    desired.set_lease(None);
    desired.touched("/s/a", None, 11);
    // The lease was not lost after all.
    desired.set_lease(Some(1));
    assert_eq!(put(&desired, 1).entries[0].path, "/s/a");
}

#[test]
fn a_first_registration_that_fails_is_told_and_what_there_is_of_it_deleted() {
    let desired = none_yet();
    there(&desired, "/s/a", 1, 10);
    let registered = add(&desired, "/s/b");
    let batch = put(&desired, 1);
    desired.refuse(&batch.entries[0], &failure());
    assert!(matches!(
        registered.now_or_never(),
        Some(Ok(Err(Refusal::Failed(_))))
    ));
    assert_eq!(delete(&desired).entries[0].path, "/s/b");
    // One that was there before is never given up.
    desired.touched("/s/a", None, 11);
    desired.deleted(&delete(&desired).entries[0]);
    let batch = put(&desired, 1);
    desired.refuse(&batch.entries[0], &failure());
    assert_eq!(put(&desired, 1).entries[0].path, "/s/a");
}

#[test]
fn without_a_lease_those_who_wait_for_their_first_registration_are_told() {
    let desired = none_yet();
    there(&desired, "/s/a", 1, 10);
    desired.set_lease(None);
    let registered = add(&desired, "/s/b");
    let before = desired.added();
    let mut late = add(&desired, "/s/c");
    desired.refuse_new(before, &failure());
    assert!(matches!(registered.now_or_never(), Some(Ok(Err(_)))));
    assert!((&mut late).now_or_never().is_none());
    desired.deleted(&delete(&desired).entries[0]);
    desired.set_lease(Some(2));
    assert_eq!(put(&desired, 2).entries[0].path, "/s/a");
}

#[test]
fn who_leaves_while_it_is_put_is_deleted_afterwards() {
    let desired = none_yet();
    let registered = add(&desired, "/s/a");
    desired.set_lease(Some(1));
    let batch = put(&desired, 1);
    let left = remove(&desired, "/s/a");
    desired.confirm(&batch.entries[0], 1, 10);
    assert!(matches!(registered.now_or_never(), Some(Err(_))));
    desired.deleted(&delete(&desired).entries[0]);
    assert!(matches!(left.now_or_never(), Some(Ok(Ok(())))));
}

#[test]
fn who_comes_back_while_it_is_deleted_is_put_again() {
    let desired = none_yet();
    there(&desired, "/s/a", 1, 10);
    let left = remove(&desired, "/s/a");
    let batch = delete(&desired);
    let registered = add(&desired, "/s/a");
    assert!(matches!(left.now_or_never(), Some(Ok(Ok(())))));
    desired.deleted(&batch.entries[0]);
    let batch = put(&desired, 1);
    desired.confirm(&batch.entries[0], 1, 12);
    assert!(matches!(registered.now_or_never(), Some(Ok(Ok(())))));
}

#[test]
fn one_that_is_wanted_is_not_wanted_twice_and_one_that_is_anothers_is_let_go() {
    let desired = none_yet();
    let registered = add(&desired, "/s/a");
    let (done, _answer) = oneshot::channel();
    let again = desired.add("/s/a", "/s/".to_owned(), Vec::new(), done);
    assert!(again.is_none());
    desired.set_lease(Some(1));
    desired.taken(&put(&desired, 1).entries[0]);
    assert!(matches!(
        registered.now_or_never(),
        Some(Ok(Err(Refusal::Taken)))
    ));
    assert!(matches!(desired.next(Instant::now()), Next::End(Some(1))));
}

#[test]
fn who_cannot_be_deleted_is_tried_again_only_while_the_lease_serves_others() {
    let desired = none_yet();
    there(&desired, "/s/a", 1, 10);
    there(&desired, "/s/b", 1, 11);
    let left = remove(&desired, "/s/a");
    desired.not_deleted(&delete(&desired).entries, &failure());
    assert!(matches!(left.now_or_never(), Some(Ok(Err(_)))));
    assert_eq!(delete(&desired).entries.len(), 1);
    let last = remove(&desired, "/s/b");
    desired.not_deleted(&delete(&desired).entries, &failure());
    assert!(matches!(last.now_or_never(), Some(Ok(Err(_)))));
    assert!(matches!(desired.next(Instant::now()), Next::End(Some(1))));
}

#[test]
fn one_that_cannot_be_deleted_keeps_nobody_from_being_put() {
    let desired = none_yet();
    there(&desired, "/s/a", 1, 10);
    there(&desired, "/t/b", 1, 11);
    let _left = remove(&desired, "/t/b");
    desired.not_deleted(&delete(&desired).entries, &failure());
    let registered = add(&desired, "/s/c");
    desired.confirm(&put(&desired, 1).entries[0], 1, 12);
    assert!(matches!(registered.now_or_never(), Some(Ok(Ok(())))));
    assert_eq!(delete(&desired).entries[0].path, "/t/b");
}

#[test]
fn one_that_was_never_put_is_forgotten() {
    let desired = none_yet();
    there(&desired, "/s/a", 1, 10);
    let registered = add(&desired, "/s/b");
    desired.never_put(&put(&desired, 1).entries[0], &failure());
    assert!(matches!(
        registered.now_or_never(),
        Some(Ok(Err(Refusal::Failed(_))))
    ));
    assert!(matches!(desired.next(Instant::now()), Next::Wait(None)));
    // One that was there before is never given up.
    desired.touched("/s/a", None, 11);
    desired.never_put(&put(&desired, 1).entries[0], &failure());
    assert_eq!(put(&desired, 1).entries[0].path, "/s/a");
}

#[test]
fn the_last_one_is_given_up_when_it_is_denied_and_no_other_with_it() {
    let desired = none_yet();
    there(&desired, "/s/a", 1, 10);
    there(&desired, "/s/b", 1, 11);
    let (denied, other) = (remove(&desired, "/s/a"), remove(&desired, "/s/b"));
    let batch = delete(&desired);
    let failure = Failure::new(Reason::Denied, "denied");
    desired.not_deleted(&batch.entries[..1], &failure);
    assert!(matches!(denied.now_or_never(), Some(Ok(Err(_)))));
    desired.deleted(&batch.entries[1]);
    assert!(matches!(other.now_or_never(), Some(Ok(Ok(())))));
    assert!(matches!(desired.next(Instant::now()), Next::End(Some(1))));
}

#[test]
fn requests_stay_within_the_limits_of_etcd() {
    let desired = none_yet();
    let _waiting: Vec<Waiting> = (0..250)
        .map(|at| add(&desired, &format!("/s/{at:03}")))
        .collect();
    desired.set_lease(Some(1));
    assert_eq!(put(&desired, 1).entries.len(), 100);

    let desired = none_yet();
    for at in 0..30 {
        let (done, _) = oneshot::channel();
        desired.add(
            &format!("/s/{at:03}"),
            "/s/".to_owned(),
            vec![0; 64 * 1024],
            done,
        );
    }
    desired.set_lease(Some(1));
    assert_eq!(put(&desired, 1).entries.len(), 15);
}

#[test]
fn work_that_was_cut_off_leaves_nobody_waiting_and_can_begin_anew() {
    let desired = none_yet();
    there(&desired, "/s/a", 1, 10);
    let (registered, left) = (add(&desired, "/s/b"), remove(&desired, "/s/a"));
    assert!(desired.starts());
    desired.interrupted();
    assert!(matches!(registered.now_or_never(), Some(Err(_))));
    assert!(matches!(left.now_or_never(), Some(Err(_))));
    assert!(desired.starts());
}

#[test]
fn a_registration_that_failed_takes_no_later_one_with_it() {
    let desired = none_yet();
    there(&desired, "/s/b", 1, 9);
    let first = add(&desired, "/s/a");
    let generation = desired.added();
    desired.never_put(&put(&desired, 1).entries[0], &denied());
    let second = add(&desired, "/s/a");
    // Its presence is dropped before it has heard that it failed.
    let left = remove_one(&desired, "/s/a", generation);
    assert!(matches!(left.now_or_never(), Some(Ok(Ok(())))));
    desired.confirm(&put(&desired, 1).entries[0], 1, 12);
    assert!(matches!(first.now_or_never(), Some(Ok(Err(_)))));
    assert!(matches!(second.now_or_never(), Some(Ok(Ok(())))));
    assert!(matches!(desired.next(Instant::now()), Next::Wait(None)));
}

#[test]
fn only_who_is_there_says_farewell() {
    let desired = none_yet();
    there(&desired, "/s/a", 1, 10);
    there(&desired, "/s/b", 1, 11);
    desired.touched("/s/b", None, 12);
    let _left = (remove(&desired, "/s/a"), remove(&desired, "/s/b"));
    let Next::Delete(Some(1), batch) = desired.next(Instant::now()) else {
        panic!("no delete");
    };
    let said: Vec<_> = batch
        .entries
        .iter()
        .map(|job| job.farewell.as_deref())
        .collect();
    assert_eq!(said, [Some(&b"bye"[..]), None]);
}

#[test]
fn those_that_are_refused_are_behind_all_others_and_alone() {
    let desired = none_yet();
    for path in ["/s/a", "/s/b", "/s/c"] {
        there(&desired, path, 1, 10);
    }
    desired.set_lease(Some(2));
    let now = Instant::now();
    let batch = put(&desired, 2);
    for job in &batch.entries[..2] {
        desired.never_put(job, &denied());
    }
    assert!(desired.put_off(&batch.entries[0], now));
    assert!(!desired.put_off(&batch.entries[1], now));
    let rest = put(&desired, 2);
    assert_eq!(rest.entries.len(), 1);
    desired.confirm(&rest.entries[0], 2, 12);
    let Next::Wait(Some(at)) = desired.next(now) else {
        panic!("they are tried at once");
    };
    assert!(at > now && at <= now + Duration::from_millis(500));
    // A new lease does not have them tried with the others either.
    desired.set_lease(Some(3));
    let rest = put(&desired, 3);
    assert_eq!(rest.entries[0].path, "/s/c");
    desired.confirm(&rest.entries[0], 3, 13);
    let mut now = now;
    let mut longest = Duration::ZERO;
    for _ in 0..50 {
        let Next::Wait(Some(at)) = desired.next(now) else {
            panic!("there is always one to wait for");
        };
        longest = longest.max(at - now);
        now = at;
        let Next::Put(3, batch) = desired.next(now) else {
            panic!("it is time");
        };
        assert_eq!(batch.entries.len(), 1);
        desired.put_off(&batch.entries[0], now);
    }
    assert!(
        longest > Duration::from_secs(4) && longest <= TTL,
        "{longest:?}"
    );
    // What goes well is a key like any other again.
    let now = now + TTL;
    for _ in 0..2 {
        let Next::Put(3, batch) = desired.next(now) else {
            panic!("both are due");
        };
        desired.confirm(&batch.entries[0], 3, 14);
    }
    desired.set_lease(Some(4));
    assert_eq!(put(&desired, 4).entries.len(), 3);
}

#[test]
fn one_that_was_refused_and_leaves_is_tried_at_once() {
    let desired = none_yet();
    there(&desired, "/s/a", 1, 10);
    desired.touched("/s/a", None, 11);
    let batch = put(&desired, 1);
    desired.never_put(&batch.entries[0], &denied());
    desired.put_off(&batch.entries[0], Instant::now());
    let left = remove(&desired, "/s/a");
    desired.not_deleted(&delete(&desired).entries, &denied());
    assert!(matches!(left.now_or_never(), Some(Ok(Err(_)))));
    assert!(matches!(desired.next(Instant::now()), Next::End(Some(1))));
}

#[test]
fn those_among_which_one_is_refused_are_tried_one_by_one_after_the_others() {
    let desired = none_yet();
    for path in ["/s/a", "/s/b", "/s/c"] {
        there(&desired, path, 1, 10);
    }
    desired.set_lease(Some(2));
    let now = Instant::now();
    let batch = put(&desired, 2);
    desired.suspect(&batch.entries[..2], now);
    for path in ["/s/c", "/s/a", "/s/b"] {
        let Next::Put(2, batch) = desired.next(now) else {
            panic!("{path} has its turn now");
        };
        assert_eq!(batch.entries.len(), 1);
        assert_eq!(batch.entries[0].path, path);
        desired.confirm(&batch.entries[0], 2, 12);
    }
    desired.set_lease(Some(3));
    let batch = put(&desired, 3);
    assert_eq!(batch.entries.len(), 3, "none of them was refused");
    // Only the first one that is refused is news.
    desired.suspect(&batch.entries, now);
    assert!(desired.put_off(&batch.entries[0], now));
    assert!(!desired.put_off(&batch.entries[1], now));
}
