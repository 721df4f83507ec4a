use etcd_client::{WatchOptions, WatchRequestSender, WatchResponse, WatchResponseStream};

use super::listing::{Listing, Pair};
use super::reading::LARGEST_ANSWER;
use crate::etcd::failure::{Failure, Reason};
use crate::etcd::is_deletion;
use crate::etcd::members::{Member, Members};

/// A watch of etcd on the keys of one service.
#[derive(Debug)]
pub(super) struct Stream {
    requests: WatchRequestSender,
    responses: WatchResponseStream,
}

impl Stream {
    /// Watches from revision `next` on.
    pub(super) async fn open(
        members: &Members,
        member: &Member,
        prefix: &str,
        next: i64,
    ) -> Result<Self, Failure> {
        let options = WatchOptions::new()
            .with_prefix()
            .with_start_revision(next)
            .with_fragment();
        let mut client = member
            .client
            .watch_client()
            .max_decoding_message_size(LARGEST_ANSWER);
        let opened = members.within(async {
            let mut stream = client.watch(prefix, Some(options)).await?;
            let created = stream.message().await?;
            Ok((stream, created))
        });
        let (stream, created) = opened.await?;
        let created = created.ok_or_else(ended)?;
        check(&created)?;
        // A member that was given other data, such as those of a backup, has a shorter history than what is known of it:
        // it would stay silent until it has caught up.
        let revision = created.header().map_or(0, |header| header.revision());
        if revision + 1 < next {
            return Err(Failure::new(
                Reason::History,
                format!(
                    "etcd is at revision {revision}, which was {} before",
                    next - 1
                ),
            ));
        }
        let (requests, responses) = stream.split();
        Ok(Self {
            requests,
            responses,
        })
    }

    /// The next response. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<WatchResponse, Failure> {
        let response = self.responses.message().await?.ok_or_else(ended)?;
        check(&response)?;
        Ok(response)
    }

    /// Asks for a response, so that there is one if etcd is alive.
    pub(super) async fn probe(&mut self) -> Result<(), Failure> {
        Ok(self.requests.request_progress().await?)
    }
}

/// Brings a listing up to date; true if there was anything to do.
pub(super) fn apply(response: &WatchResponse, listing: &mut Listing) -> bool {
    for event in response.events() {
        let Some(kv) = event.kv() else { continue };
        if is_deletion(kv) {
            listing.delete(kv.key(), kv.mod_revision());
        } else {
            listing.put(&Pair {
                path: kv.key().to_vec(),
                value: kv.value().to_vec(),
                revision: kv.mod_revision(),
            });
        }
    }
    !response.events().is_empty()
}

fn check(response: &WatchResponse) -> Result<(), Failure> {
    if !response.canceled() {
        return Ok(());
    }
    if response.compact_revision() > 0 {
        let text = format!("history is compacted up to {}", response.compact_revision());
        return Err(Failure::new(Reason::History, text));
    }
    Err(Failure::of_watch(response.cancel_reason()))
}

fn ended() -> Failure {
    Failure::new(Reason::Member, "etcd ended the stream")
}
