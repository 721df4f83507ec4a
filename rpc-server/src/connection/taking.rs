//! Calls that come, and those that their caller or their deadline ends.

use std::collections::VecDeque;

use doge_rpc_core::{
    call::{CancelReason, Cancellation, Peer},
    connection::{Incoming, Overdue, Refused, ServerEvent},
    driver::FrameReader,
    observe::RefusalReason,
    protocol::Violation,
};
use tokio::time::Instant;

use super::{
    Machine, Shared,
    running_call::RunningCall,
    state::{Ended, Noted, State},
};
use crate::router::Resolved;

/// Calls that are taken under one lock, run, and answered under another and with one write. Fewer would cost more
/// syscalls; with more, the client would wait for the last answer before it could go on with the first: a tenth of the
/// rate with 128 in flight.
const AT_ONCE: usize = 32;

/// Takes some of the calls that are there, as far as there is room for them to run, and tells whether more may be
/// there. One that is cancelled before it runs never does.
pub(super) fn take_calls<M: Machine>(
    machine: &mut State<M>,
    shared: &Shared<M>,
    reader: &mut FrameReader<M::Decoder>,
    calls: &mut VecDeque<Incoming<Resolved>>,
    now: Instant,
    any: &mut bool,
    noted: &mut Vec<Noted>,
) -> Result<bool, Violation> {
    while calls.len() < AT_ONCE && (calls.is_empty() || machine.has_room(calls.len())) {
        let Some(frame) = reader.next_frame()? else {
            return Ok(false);
        };
        *any = true;
        match machine.take(frame, now, &shared.service.router)? {
            ServerEvent::None => {}
            ServerEvent::Refused(refused) => {
                noted.push(machine.refuse_call(refused));
            }
            ServerEvent::Cancelled { call, why, task } => noted.extend(match task {
                Some(task) => cancel(machine, call, &task, why, &shared.peer).map(Noted::Ended),
                None => take_out(calls, call).map(|it| machine.refuse_call(given_up(it))),
            }),
            ServerEvent::Call(incoming) => {
                calls.push_back(incoming);
                continue;
            }
        }
        // The frame may have been answered, with more bytes than it had itself.
        if machine.is_choked() || noted.len() >= AT_ONCE {
            return Ok(true);
        }
    }
    Ok(true)
}

/// Ends a call whose deadline has passed: its handler answers so, inside all layers. A call that waits in a layer, or has
/// not ended though it was told to, is answered and aborted from outside.
pub(super) fn end_late<M: Machine>(
    state: &mut State<M>,
    late: &Overdue<RunningCall>,
) -> Option<Ended> {
    let why = Cancellation::bare(CancelReason::Deadline);
    if late.was_told || !late.task.cancel(why) {
        // The first reason counts: its caller may have given the call up before.
        let ended = state.finish(late.call, Err(late.task.status_of_end()));
        late.task.abort();
        return ended;
    }
    None
}

/// A call whose caller gave it up, or was lost, before it could run.
pub(super) fn given_up(call: Incoming<Resolved>) -> Refused<Resolved> {
    Refused::of(call, RefusalReason::Cancelled)
}

/// Takes a call out that was taken and has not run yet.
fn take_out(calls: &mut VecDeque<Incoming<Resolved>>, call: u64) -> Option<Incoming<Resolved>> {
    let place = calls.iter().position(|taken| taken.id == call)?;
    calls.remove(place)
}

/// Ends a call that its caller has given up.
fn cancel<M: Machine>(
    state: &mut State<M>,
    call: u64,
    task: &RunningCall,
    why: Option<Cancellation>,
    peer: &Peer,
) -> Option<Ended> {
    let why = why.unwrap_or(Cancellation::bare(CancelReason::CallerGone));
    let text = match why.text() {
        "" => peer.to_string(),
        text => format!("{peer}: {text}"),
    };
    let why = Cancellation::new(why.reason(), text);
    if task.cancel(why) {
        return None;
    }
    state.finish(call, Err(task.status_of_end()))
}
