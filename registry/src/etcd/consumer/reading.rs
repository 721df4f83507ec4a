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
        let mut wanted = Wanted::Pairs(PAGE);
        loop {
            let from = reading.next(prefix);
            let options = GetOptions::new()
                .with_range(end.clone())
                .with_revision(reading.revision);
            let options = wanted.of(options);
            let page = members
                .call(|client| page(client, from.clone(), options.clone()))
                .await;
            match page {
                Ok(page) => {
                    if reading.add(&page) {
                        return Ok(reading);
                    }
                    wanted = wanted.after_success();
                }
                Err(failure) if failure.reason == Reason::Size => {
                    wanted = wanted.smaller().ok_or(failure)?;
                }
                Err(failure) => return Err(failure),
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

/// How much one request asks for. Values of others may be so large that few of them fit into an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// So many keys with their values.
    Pairs(i64),
    /// One key without its value, which is too large on its own and therefore no instance.
    Key,
}

impl Wanted {
    fn of(self, options: GetOptions) -> GetOptions {
        match self {
            Self::Pairs(count) => options.with_limit(count),
            Self::Key => options.with_limit(1).with_keys_only(),
        }
    }

    /// What to ask for after an answer that was too large.
    fn smaller(self) -> Option<Self> {
        match self {
            Self::Pairs(1) => Some(Self::Key),
            Self::Pairs(count) => Some(Self::Pairs(count / 2)),
            Self::Key => None,
        }
    }

    /// Only the one that was too large is passed over.
    fn after_success(self) -> Self {
        match self {
            Self::Pairs(_) => self,
            Self::Key => Self::Pairs(1),
        }
    }
}

async fn page(
    client: Client,
    from: Vec<u8>,
    options: GetOptions,
) -> Result<GetResponse, etcd_client::Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_is_asked_for_until_the_value_is_left_out() {
        let steps = std::iter::successors(Some(Wanted::Pairs(PAGE)), |wanted| wanted.smaller());
        let steps: Vec<Wanted> = steps.collect();
        let pairs = [250, 125, 62, 31, 15, 7, 3, 1].map(Wanted::Pairs);
        assert_eq!(steps[..8], pairs);
        assert_eq!(steps[8..], [Wanted::Key]);
        assert_eq!(Wanted::Key.after_success(), Wanted::Pairs(1));
    }
}
