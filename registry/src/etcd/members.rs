use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use doge_base::Pauses;
use etcd_client::{Client, ConnectOptions, Error};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::failure::{Failure, Reason};
use super::settings::Settings;
use crate::remote::pauses;
use crate::remote::tries::Tries;

/// How often an idle connection is pinged, and how long the answer may take; etcd closes one that pings more often
/// than every 5 s.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// The members of etcd, each with a client of its own.
///
/// All work goes to one of them until it fails; then to the next. (A client of several endpoints spreads requests over
/// them at random and counts one that refuses connections as ready, so that with one of three members down every third
/// request would fail.)
pub(super) struct Members {
    settings: Arc<Settings>,
    state: Mutex<State>,
    /// Held while connecting, so that many who need a client at once share one login, or its failure.
    connecting: tokio::sync::Mutex<()>,
}

/// The client of one member.
#[derive(Clone)]
pub(super) struct Member {
    at: usize,
    /// Which of the clients this member has had.
    generation: u64,
    pub(super) client: Client,
}

struct State {
    clients: Vec<Option<Member>>,
    /// The member that work goes to.
    current: usize,
    generation: u64,
    /// How often connecting has failed, and how it did last.
    failures: u64,
    last_failure: Option<Failure>,
    /// No login is tried before then, because user or password were refused: a login costs etcd a tenth of a second of
    /// CPU, and all members refuse the same ones.
    no_login_before: Option<Instant>,
    login_pauses: Pauses,
}

impl Members {
    /// Connects to nothing yet. Processes begin with different members.
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        let count = settings.endpoints.len();
        Self {
            state: Mutex::new(State {
                clients: vec![None; count],
                current: settings.env.index(count),
                generation: 0,
                failures: 0,
                last_failure: None,
                no_login_before: None,
                login_pauses: pauses::of_consumer(settings.ttl, &settings.env),
            }),
            settings,
            connecting: tokio::sync::Mutex::new(()),
        }
    }

    pub(super) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Runs a request that may be repeated, with one member after the other until it is answered or [`Tries`] are used up.
    pub(super) async fn call<T, F>(
        &self,
        request: impl Fn(Client) -> F + Send,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let mut tries = Tries::new(
            self.settings.endpoints.len(),
            self.settings.request_timeout,
            &self.settings.env,
        );
        loop {
            let started = Instant::now();
            let failure = match self.try_call(&request).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let Some(pause) = tries.after(failure.outlook(), started.elapsed()) else {
                return Err(failure);
            };
            tracing::debug!(%failure, "trying the next member of etcd");
            sleep(pause).await;
        }
    }

    /// The client of the member that work goes to, within the connect timeout.
    pub(super) async fn current(&self) -> Result<Member, Failure> {
        if let Some(member) = self.connected() {
            return Ok(member);
        }
        let until = Instant::now() + self.settings.connect_timeout;
        let failures = self.lock().failures;
        let Ok(_guard) = timeout_at(until, self.connecting.lock()).await else {
            return Err(self.not_in_time());
        };
        if let Some(member) = self.connected() {
            return Ok(member);
        }
        if let Some(failure) = self.failed_since(failures).or_else(|| self.refused()) {
            return Err(failure);
        }
        let at = self.lock().current;
        match self.connect(at, until).await {
            Ok(client) => Ok(self.keep(at, client)),
            Err(failure) => {
                self.move_on(at, &failure);
                Err(failure)
            }
        }
    }

    /// Lets work go to another member, and this one have a new client when it is its turn again; nothing if that
    /// happened already.
    pub(super) fn leave(&self, member: &Member) {
        let mut state = self.lock();
        let known = state.clients[member.at].as_ref();
        if known.is_some_and(|known| known.generation == member.generation) {
            state.clients[member.at] = None;
            if state.current == member.at {
                state.current = (member.at + 1) % state.clients.len();
            }
        }
    }

    /// Runs one request of several on this member, within the request timeout.
    pub(super) async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Failure> {
        let limit = self.settings.request_timeout;
        match timeout(limit, work).await {
            Ok(done) => done.map_err(Failure::from),
            Err(_) => Err(Failure::new(
                Reason::Member,
                format!("no answer within {limit:?}"),
            )),
        }
    }

    async fn try_call<T, F>(&self, request: &(impl Fn(Client) -> F + Send)) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let member = self.current().await?;
        let done = self.within(request(member.client.clone())).await;
        if done.as_ref().is_err_and(Failure::is_of_member) {
            self.leave(&member);
        }
        done
    }

    async fn connect(&self, at: usize, until: Instant) -> Result<Client, Failure> {
        let url = self.settings.endpoints[at].url(self.settings.tls.is_some());
        let options = self.options()?;
        match timeout_at(until, Client::connect([url], Some(options))).await {
            Ok(connected) => connected.map_err(Failure::from),
            Err(_) => Err(self.not_in_time()),
        }
    }

    fn not_in_time(&self) -> Failure {
        let limit = self.settings.connect_timeout;
        Failure::new(Reason::Member, format!("no connection within {limit:?}"))
    }

    fn options(&self) -> Result<ConnectOptions, Failure> {
        let mut options = ConnectOptions::new()
            .with_connect_timeout(self.settings.connect_timeout)
            .with_keep_alive(PING_INTERVAL, PING_TIMEOUT)
            .with_keep_alive_while_idle(true)
            // Without a leader a member knows only what was: then another one is asked.
            .with_require_leader(true)
            .with_auto_token_refresh(true);
        if let Some(credentials) = &self.settings.credentials {
            options = options.with_user(&credentials.user, &credentials.password);
        }
        if let Some(tls) = &self.settings.tls {
            let tls = tls
                .options()
                .map_err(|error| Failure::new(Reason::Refused, error.to_string()))?;
            options = options.with_tls(tls);
        }
        Ok(options)
    }

    fn connected(&self) -> Option<Member> {
        let state = self.lock();
        state.clients[state.current].clone()
    }

    fn keep(&self, at: usize, client: Client) -> Member {
        let mut state = self.lock();
        state.no_login_before = None;
        state.login_pauses.succeeded();
        state.generation += 1;
        let member = Member {
            at,
            generation: state.generation,
            client,
        };
        state.clients[at] = Some(member.clone());
        member
    }

    /// How connecting failed after it had failed so often.
    fn failed_since(&self, failures: u64) -> Option<Failure> {
        let state = self.lock();
        if state.failures == failures {
            return None;
        }
        state.last_failure.clone()
    }

    /// How the last login was refused, if it is too early for another one.
    fn refused(&self) -> Option<Failure> {
        let state = self.lock();
        state.no_login_before.filter(|at| Instant::now() < *at)?;
        state.last_failure.clone()
    }

    fn move_on(&self, from: usize, failure: &Failure) {
        let mut state = self.lock();
        state.failures += 1;
        state.last_failure = Some(failure.clone());
        state.no_login_before = (failure.reason == Reason::Credentials)
            .then(|| Instant::now() + state.login_pauses.failed());
        if state.current == from {
            state.current = (from + 1) % state.clients.len();
        }
    }

    /// A poisoned lock is taken over: each change is a few assignments.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Members")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
