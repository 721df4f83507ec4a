use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use doge_rpc_core::{
    Status,
    call::{Request, Response},
    transport::Address,
};
use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout, timeout_at};

use super::{failure::Failure, reaper::Reaper, shared::Shared, unserved::Unserved};
use crate::{ChannelConfig, watch::Connections};

/// Connections to one server, of which each call has one for itself.
///
/// It accepts calls until nobody listens at the address any more, or a connect fails while no other connection works.
/// Then waiting calls fail and calls in flight continue.
#[derive(Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    reaper: Reaper,
}

impl Pool {
    /// Connects once. Cancel safe: a dropped attempt leaves nothing behind.
    ///
    /// # Errors
    ///
    /// `Unavailable`, with what the system says.
    pub(crate) async fn open(
        address: &Address,
        meta: bool,
        config: &ChannelConfig,
        connections: &Arc<Connections>,
    ) -> Result<Self, Status> {
        let shared = Arc::new(Shared::new(address, meta, config, connections));
        shared.open().await?;
        let pool = Arc::downgrade(&shared);
        let reaper = Reaper::start(move |now| Some(pool.upgrade()?.expire(now)));
        Ok(Self { shared, reaper })
    }

    /// Makes one call, which begins `now`. Dropping the future closes the connection that the call is on. It is boxed, so
    /// that nothing of it is in the future of a native call.
    ///
    /// # Errors
    ///
    /// The status of the call.
    pub(crate) fn call<'a>(
        &self,
        request: &'a Request,
        now: Instant,
    ) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(make_call(Arc::clone(&self.shared), request, now))
    }

    /// Whether new calls should go elsewhere.
    pub(crate) fn is_closing(&self) -> bool {
        self.shared.is_closed() || self.was_interrupted()
    }

    /// Whether the runtime has ended that looks after idle connections.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.reaper.is_gone()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared
            .close(Status::unavailable("the channel was closed").not_sent());
    }
}

async fn make_call(
    shared: Arc<Shared>,
    request: &Request,
    now: Instant,
) -> Result<Response, Status> {
    let deadline = request.deadline().instant();
    if deadline <= now {
        return Err(shared.expired(request));
    }
    let time = deadline - now;
    loop {
        let taken = timeout_at(deadline, shared.take()).await;
        // In this order, so that the connection is closed when others may make one.
        let (place, mut socket) = taken.unwrap_or_else(|_| Err(shared.no_room(request, time)))?;
        let was_used = socket.was_used();
        let call = socket.call(request, shared.options);
        let answer = timeout_at(deadline, async {
            match was_used {
                true => call.await,
                false => may_be_unserved(&shared, call, time).await,
            }
        });
        let Ok(answer) = answer.await else {
            socket.closes("its call was not answered before the deadline");
            return Err(shared.late(request, time));
        };
        let is_late = || deadline <= Instant::now();
        let failure = match answer {
            Ok(response) => {
                shared.rest(socket);
                // Whose timer is first, ours or that of the server, is chance: either way the time was over.
                if response.is_application_error() && is_late() {
                    return Err(shared.late(request, time));
                }
                return Ok(response);
            }
            // The peer has nothing to do with it.
            Err(Failure::Lost(error)) if socket.was_interrupted() => Failure::Interrupted(error),
            Err(failure) => failure,
        };
        if failure.leaves_connection() {
            shared.rest(socket);
            return Err(shared.failed(failure, request));
        }
        socket.closes(failure.to_string());
        drop(socket);
        // Nothing of the call has left.
        if matches!(failure, Failure::Unsent(_)) {
            // It was lost just before, which says nothing about the others.
            if was_used || shared.does_without(place) {
                continue;
            }
        }
        let status = shared.failed(failure, request);
        return Err(if is_late() && !status.never_ran() {
            shared.late(request, time)
        } else {
            status
        });
    }
}

/// Waits for the first answer of a connection, which the server may not serve before another one is closed.
async fn may_be_unserved<F: Future>(shared: &Shared, call: F, time: Duration) -> F::Output {
    let mut call = pin!(call);
    let mut asking = None;
    let mut patience = Unserved::patience(time);
    loop {
        if let Ok(output) = timeout(patience, &mut call).await {
            return output;
        }
        shared.ask_for_turn(&mut asking);
        patience = patience.saturating_mul(2);
    }
}
