use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::body::Bytes;
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use super::answer::{Directory, Event, MOST_NODES, Node, read};
use super::failure::{Failure, Reason};
use super::http::{Answer, Ask};
use super::settings::Settings;
use crate::remote::tries::{Outlook, Tries};

/// What can be asked of etcd.
///
/// All goes to one of its members until it fails; then to the next. Each of these is one try.
#[derive(Debug)]
pub(super) struct Client {
    settings: Arc<Settings>,
    current: AtomicUsize,
}

/// All keys of a service, as a majority of etcd had them at `index`.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) index: u64,
    pub(super) nodes: Vec<Node>,
}

/// A watch that etcd has accepted.
#[derive(Debug)]
pub(super) struct Waiting {
    answer: Answer,
    /// The member that did.
    at: usize,
}

impl Client {
    /// Connects to nothing yet. Processes begin with different members.
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self {
            current: AtomicUsize::new(settings.env.index(settings.endpoints.len())),
            settings,
        }
    }

    pub(super) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Lists a directory; one that is not there is empty.
    pub(super) async fn list(&self, directory: &str) -> Result<Listed, Failure> {
        let (index, body) = match self
            .ask(&Ask::get(directory, "recursive=true&quorum=true"))
            .await?
        {
            Answered::Well(index, body) => (index, Some(body)),
            Answered::Refused(index, failure) if failure.reason == Reason::Missing => (index, None),
            Answered::Refused(_, failure) => return Err(failure),
        };
        // Without it there is nowhere to watch from.
        let index = index.ok_or_else(|| {
            Failure::new(
                Reason::NoApi,
                "it does not say which change its answer is as of",
            )
        })?;
        let nodes = match body {
            Some(body) => read::<Directory>(&body)?.nodes,
            None => Some(Vec::new()),
        };
        let nodes = nodes.ok_or_else(|| {
            Failure::new(
                Reason::Size,
                format!("there are more than {MOST_NODES} keys"),
            )
        })?;
        Ok(Listed { index, nodes })
    }

    /// The value of a key; none if there is none.
    pub(super) async fn value(&self, key: &str) -> Result<Option<String>, Failure> {
        match self.ask(&Ask::get(key, "quorum=true")).await? {
            Answered::Well(_, body) => Ok(Some(value_of(&body)?)),
            Answered::Refused(_, failure) if failure.reason == Reason::Missing => Ok(None),
            Answered::Refused(_, failure) => Err(failure),
        }
    }

    /// Sets a key, whether it is there or not.
    pub(super) async fn set(&self, key: &str, value: &str) -> Result<(), Failure> {
        let ask = Ask::put(key, &[("value", value), ("ttl", &self.ttl())]);
        self.ask(&ask).await?.well().map(drop)
    }

    /// Lets a key live for another time to live, without an event; gives back its value.
    pub(super) async fn refresh(&self, key: &str) -> Result<String, Failure> {
        let ttl = self.ttl();
        let form = [
            ("ttl", ttl.as_str()),
            ("refresh", "true"),
            ("prevExist", "true"),
        ];
        let body = self.ask(&Ask::put(key, &form)).await?.well()?;
        value_of(&body)
    }

    /// Deletes a key, if it is there.
    pub(super) async fn delete(&self, key: &str) -> Result<(), Failure> {
        match self.ask(&Ask::delete(key)).await?.well() {
            Err(failure) if failure.reason != Reason::Missing => Err(failure),
            _ => Ok(()),
        }
    }

    /// Waits for the first change below a directory that is not older than `from`.
    pub(super) async fn wait(&self, directory: &str, from: u64) -> Result<Waiting, Failure> {
        let ask = Ask::get(
            directory,
            &format!("wait=true&recursive=true&waitIndex={from}"),
        );
        let (answer, at) = self.send(&ask).await?;
        if !answer.status.is_success() {
            return Err(self.refusal(answer, at).await);
        }
        // An etcd that was given other data has a shorter history than what is known of it: it would stay silent until it
        // has caught up.
        match answer.index {
            Some(index) if index.saturating_add(1) >= from => Ok(Waiting { answer, at }),
            index => Err(Failure::new(
                Reason::History,
                format!(
                    "etcd is at index {}, which was {} before",
                    index.unwrap_or_default(),
                    from.saturating_sub(1)
                ),
            )),
        }
    }

    /// Tries until it goes well or [`Tries`] are used up.
    pub(super) async fn tried<T, F>(&self, attempt: impl Fn() -> F + Send) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let mut tries = Tries::new(
            self.settings.endpoints.len(),
            self.settings.request_timeout,
            &self.settings.env,
        );
        loop {
            let started = Instant::now();
            let failure = match attempt().await {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            let Some(pause) = tries.after(failure.outlook(), started.elapsed()) else {
                return Err(failure);
            };
            tracing::debug!(%failure, "trying the next member of etcd");
            sleep(pause).await;
        }
    }

    /// Waits for the event itself; none if there is none within `limit`.
    pub(super) async fn event(
        &self,
        waiting: Waiting,
        limit: Duration,
    ) -> Result<Option<Event>, Failure> {
        let Ok(body) = timeout(limit, waiting.answer.body()).await else {
            return Ok(None);
        };
        // An etcd that stops ends the body before it began.
        let event = body.and_then(|body| read(&body));
        event
            .map(Some)
            .inspect_err(|failure| self.note(waiting.at, failure))
    }

    async fn ask(&self, ask: &Ask) -> Result<Answered, Failure> {
        let (answer, at) = self.send(ask).await?;
        let index = answer.index;
        if !answer.status.is_success() {
            return Ok(Answered::Refused(index, self.refusal(answer, at).await));
        }
        let body = self.body(answer).await;
        let body = body.inspect_err(|failure| self.note(at, failure))?;
        Ok(Answered::Well(index, body))
    }

    /// The answer of the current member, and which one that is.
    async fn send(&self, ask: &Ask) -> Result<(Answer, usize), Failure> {
        let at = self.current.load(Ordering::Relaxed);
        let endpoint = self.settings.endpoints[at].to_string();
        let answer = ask.of_member(&endpoint, self.settings.request_timeout);
        let answer = answer.await.inspect_err(|failure| self.note(at, failure))?;
        Ok((answer, at))
    }

    async fn refusal(&self, answer: Answer, at: usize) -> Failure {
        let status = answer.status;
        let failure = match self.body(answer).await {
            Ok(body) => Failure::of_answer(status, &body),
            Err(failure) => failure,
        };
        self.note(at, &failure);
        failure
    }

    async fn body(&self, answer: Answer) -> Result<Bytes, Failure> {
        let limit = self.settings.request_timeout;
        match timeout(limit, answer.body()).await {
            Ok(body) => body,
            Err(_) => Err(Failure::new(
                Reason::Member,
                format!("it does not answer in full within {limit:?}"),
            )),
        }
    }

    /// Leaves a member that may be worse than the next one.
    fn note(&self, at: usize, failure: &Failure) {
        if failure.outlook() != Outlook::Hopeless {
            let next = (at + 1) % self.settings.endpoints.len();
            // Somebody else may have left it already.
            let _ = self
                .current
                .compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn ttl(&self) -> String {
        self.settings.ttl.as_secs().to_string()
    }
}

/// An answer, and which change of etcd's it is as of.
enum Answered {
    Well(Option<u64>, Bytes),
    Refused(Option<u64>, Failure),
}

impl Answered {
    fn well(self) -> Result<Bytes, Failure> {
        match self {
            Self::Well(_, body) => Ok(body),
            Self::Refused(_, failure) => Err(failure),
        }
    }
}

/// The value that an answer shows; that of a directory is empty.
fn value_of(body: &[u8]) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Shown {
        node: Node,
    }

    let Shown { node } = read(body)?;
    Ok(node.value.unwrap_or_default())
}
