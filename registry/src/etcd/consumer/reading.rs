use etcd_client::{Client, GetOptions, GetResponse};

use super::listing::Pair;
use crate::etcd::failure::{Failure, Reason};
use crate::etcd::members::Members;
use crate::etcd::value::LARGEST;

/// How many keys one request reads.
const PAGE: i64 = 250;
/// The largest answer that is taken, in bytes: a page of the largest values, and their keys.
pub(super) const LARGEST_ANSWER: usize = PAGE as usize * (LARGEST + 4096);

/// All keys of a service at one revision.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) revision: i64,
    pub(super) pairs: Vec<Pair>,
}

impl Reading {
    /// Reads all keys that begin with `prefix`, as a majority of etcd has them now, page by page.
    pub(super) async fn take(members: &Members, prefix: &str) -> Result<Self, Failure> {
        match Self::pages(members, prefix).await {
            // The history was compacted between two pages: then the next reading is of a newer revision.
            Err(failure) if failure.reason == Reason::History => Self::pages(members, prefix).await,
            read => read,
        }
    }

    async fn pages(members: &Members, prefix: &str) -> Result<Self, Failure> {
        let end = end_of(prefix);
        let mut reading = Self::default();
        loop {
            let from = reading.next(prefix);
            let revision = reading.revision;
            let page = members
                .call(|client| page(client, from.clone(), end.clone(), revision))
                .await?;
            if reading.add(&page) {
                return Ok(reading);
            }
        }
    }

    /// The key that the next page begins with: just after the last one.
    fn next(&self, prefix: &str) -> Vec<u8> {
        match self.pairs.last() {
            Some(last) => [&last.path[..], &[0]].concat(),
            None => prefix.as_bytes().to_vec(),
        }
    }

    /// Adds a page; true if it was the last.
    fn add(&mut self, page: &GetResponse) -> bool {
        if self.revision == 0 {
            // All further pages are read at the revision of the first one.
            self.revision = page.header().map_or(0, |header| header.revision());
        }
        self.pairs.extend(page.kvs().iter().map(|kv| Pair {
            path: kv.key().to_vec(),
            value: kv.value().to_vec(),
            revision: kv.mod_revision(),
        }));
        !page.more() || page.kvs().is_empty()
    }
}

async fn page(
    client: Client,
    from: Vec<u8>,
    end: Vec<u8>,
    revision: i64,
) -> Result<GetResponse, etcd_client::Error> {
    let options = GetOptions::new()
        .with_range(end)
        .with_limit(PAGE)
        .with_revision(revision);
    let mut kv = client.kv_client().max_decoding_message_size(LARGEST_ANSWER);
    kv.get(from, Some(options)).await
}

/// The first key that no longer begins with `prefix`, which ends with a slash.
fn end_of(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}
