use std::{
    future::Future as _,
    pin::pin,
    task::{Context, Waker},
};

/// Wakes all tasks whose answers came with one read.
///
/// Woken one by one from within a task, the first of them makes the runtime start an idle worker, which takes the few
/// that are there by then, runs them and goes to sleep again, to be started anew by the next: a system call for
/// every tenth call. So they are deferred, as a task that yields is: the worker wakes them all in one go once
/// it has run what was ready before them, and shares them out then. It took 0.3 µs off the 1.1 µs that a call
/// cost its client with 128 of them in flight and two workers, and 0.7 off 2.4 µs with 16.
pub fn wake_all(wakers: &mut Vec<Waker>) {
    if wakers.len() == 1 {
        wakers.drain(..).for_each(Waker::wake);
        return;
    }
    for waker in wakers.drain(..) {
        // What yields is whoever the context names. Outside of a runtime it is woken at once.
        let deferred = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(&waker));
        debug_assert!(deferred.is_pending());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::{Wake, Waker},
    };

    use super::wake_all;

    struct Counted(AtomicUsize);

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counted() -> (Arc<Counted>, impl Fn(usize) -> Vec<Waker>) {
        let counted = Arc::new(Counted(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&counted));
        (counted, move |count| vec![waker.clone(); count])
    }

    #[test]
    fn outside_of_a_runtime_all_are_woken_at_once() {
        let (counted, wakers) = counted();
        for count in [0, 1, 2, 100] {
            let before = counted.0.load(Ordering::Relaxed);
            wake_all(&mut wakers(count));
            assert_eq!(counted.0.load(Ordering::Relaxed) - before, count);
        }
    }

    /// Each is another task, as each call is.
    async fn each_is_woken_once() {
        let counted: Vec<_> = (0..100)
            .map(|_| Arc::new(Counted(AtomicUsize::new(0))))
            .collect();
        let mut wakers = counted
            .iter()
            .map(|it| Waker::from(Arc::clone(it)))
            .collect();
        wake_all(&mut wakers);
        assert!(wakers.is_empty());
        tokio::task::yield_now().await;
        for it in counted {
            assert_eq!(it.0.load(Ordering::Relaxed), 1);
        }
    }

    #[tokio::test]
    async fn on_one_thread_each_is_woken_once() {
        each_is_woken_once().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn on_several_threads_each_is_woken_once() {
        tokio::spawn(each_is_woken_once()).await.unwrap();
    }
}
