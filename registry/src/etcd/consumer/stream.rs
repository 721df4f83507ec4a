use etcd_client::{
    EventType, WatchOptions, WatchRequestSender, WatchResponse, WatchResponseStream,
};

use super::listing::{Listing, Pair};
use super::reading::LARGEST_ANSWER;
use crate::etcd::failure::{Failure, Reason};
use crate::etcd::members::{Member, Members};

/// A watch of etcd on the keys of one service.
#[derive(Debug)]
pub(super) struct Stream {
    requests: WatchRequestSender,
    responses: WatchResponseStream,
    id: i64,
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
            .with_progress_notify()
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
            id: created.watch_id(),
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

    /// The revision that a new stream has to begin with after this response, if it tells one.
    pub(super) fn resume_at(&self, response: &WatchResponse) -> Option<i64> {
        let last = response
            .events()
            .iter()
            .filter_map(|event| event.kv())
            .next_back();
        match last {
            // Again with the last one, and not after it: a response may be a fragment of a revision, which etcd-client
            // does not tell, and to see an event twice does no harm.
            Some(kv) => Some(kv.mod_revision()),
            // Progress counts only if etcd told it by itself: up to 3.4.24 and 3.5.7 it answers a request for it at
            // once (with the watch id -1), even before it has sent the events up to there (etcd issue 15220).
            None if response.watch_id() == self.id && !response.created() => {
                response.header().map(|header| header.revision() + 1)
            }
            None => None,
        }
    }
}

/// Brings a listing up to date; true if there was anything to do.
pub(super) fn apply(response: &WatchResponse, listing: &mut Listing) -> bool {
    for event in response.events() {
        let Some(kv) = event.kv() else { continue };
        match event.event_type() {
            EventType::Put => listing.put(&Pair {
                path: kv.key().to_vec(),
                value: kv.value().to_vec(),
                revision: kv.mod_revision(),
            }),
            EventType::Delete => listing.delete(kv.key(), kv.mod_revision()),
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
    // Among others because a token is no longer valid, which a new login mends.
    let text = format!("etcd ended the watch: {:?}", response.cancel_reason());
    Err(Failure::new(Reason::Credentials, text))
}

fn ended() -> Failure {
    Failure::new(Reason::Member, "etcd ended the stream")
}
