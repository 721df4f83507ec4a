use etcd_client::Error;
use thiserror::Error;
use tonic::{Code, Status};

use super::settings::Settings;
use crate::RegistryError;
use crate::remote::tries::Outlook;

/// Why etcd did not do what it was asked.
#[derive(Clone, Debug, Error)]
#[error("{text}")]
pub(super) struct Failure {
    pub(super) reason: Reason,
    text: String,
}

/// What can be done about a [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// This member cannot be reached, does not answer, or has no leader: another one may.
    Member,
    /// The token is not, or no longer, accepted: a new login may help.
    Credentials,
    /// The user has no right to this key: of others it may.
    Denied,
    /// The history asked for is gone, or was never there: read everything anew.
    History,
    /// The answer is larger than is taken: ask for less.
    Size,
    /// The lease is gone: ask for a new one.
    Lease,
    /// The quota of etcd is used up.
    Space,
    /// It will be refused again.
    Refused,
}

impl Failure {
    pub(super) fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self {
            reason,
            text: text.into(),
        }
    }

    /// Whether the same request may go well with another member, or after a new login.
    pub(super) fn is_of_member(&self) -> bool {
        self.outlook() != Outlook::Hopeless
    }

    /// Whether the same request is worth another try.
    pub(super) fn outlook(&self) -> Outlook {
        match self.reason {
            Reason::Member => Outlook::Soon,
            Reason::Credentials => Outlook::Elsewhere,
            Reason::Denied
            | Reason::History
            | Reason::Size
            | Reason::Lease
            | Reason::Space
            | Reason::Refused => Outlook::Hopeless,
        }
    }

    /// Whether a request on other keys may go well.
    pub(super) fn may_be_of_one_key(&self) -> bool {
        matches!(self.reason, Reason::Denied | Reason::Refused)
    }

    /// Why etcd ended a watch, by what it says of it.
    ///
    /// Old versions deny a watch whose token is no longer valid, too. The next request then has the token replaced.
    pub(super) fn of_watch(cancel_reason: &str) -> Self {
        let reason = match cancel_reason {
            text if text.contains("permission denied") => Reason::Denied,
            text if text.contains("auth") => Reason::Credentials,
            _ => Reason::Member,
        };
        Self::new(reason, format!("etcd ended the watch: {cancel_reason:?}"))
    }

    /// For those who use the registry.
    pub(super) fn report(&self, doing: &'static str, settings: &Settings) -> RegistryError {
        RegistryError::Remote {
            doing,
            endpoints: settings.named_endpoints(),
            cause: self.text.clone(),
            mend: self.mend(),
        }
    }

    fn mend(&self) -> &'static str {
        match self.reason {
            Reason::Member => {
                "see that etcd runs there with a majority of its members, and that address, TLS and firewall are right"
            }
            Reason::Credentials => "see that user, password and certificate are right",
            Reason::Denied => {
                "grant a role of this user `read` on the keys of the service, and `readwrite` to register it (`etcdctl role grant-permission`)"
            }
            Reason::Space => {
                "compact and defragment etcd or raise its quota, then clear the alarm with `etcdctl alarm disarm`"
            }
            Reason::History | Reason::Size | Reason::Lease | Reason::Refused => {
                "see what etcd logs about it"
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        match error {
            Error::GRpcStatus(status) => Self::new(reason_of(status), text_of(status)),
            Error::InvalidArgs(_) | Error::InvalidUri(_) => {
                Self::new(Reason::Refused, error.to_string())
            }
            // It has no error of its own for a lease that is gone.
            Error::LeaseKeepAliveError(text) if text.contains("lease not found") => {
                Self::new(Reason::Lease, error.to_string())
            }
            _ => Self::new(Reason::Member, with_sources(error)),
        }
    }
}

/// etcd has more errors than gRPC has codes, so that some have to be told apart by their text.
fn reason_of(status: &Status) -> Reason {
    let text = status.message();
    match status.code() {
        Code::Unauthenticated => Reason::Credentials,
        Code::PermissionDenied => Reason::Denied,
        // "revision of auth store is old", "authentication failed", "user name is empty"
        Code::InvalidArgument if text.contains("auth") || text.contains("user name") => {
            Reason::Credentials
        }
        Code::Unknown if text.contains("auth token") => Reason::Credentials,
        // Said by the decoder on this side.
        Code::OutOfRange if text.contains("message length too large") => Reason::Size,
        Code::OutOfRange => Reason::History,
        Code::NotFound if text.contains("lease") => Reason::Lease,
        Code::ResourceExhausted if text.contains("space") => Reason::Space,
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Unknown
        | Code::Internal
        | Code::Aborted
        | Code::DataLoss
        | Code::ResourceExhausted => Reason::Member,
        _ => Reason::Refused,
    }
}

fn text_of(status: &Status) -> String {
    let mut text = format!("{} ({:?})", status.message(), status.code());
    if let Some(source) = std::error::Error::source(status) {
        text.push_str(": ");
        text.push_str(&with_sources(source));
    }
    text
}

/// An error and what led to it, where that is said only there.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_etcd_are_told_apart() {
        for (code, text, reason) in [
            (Code::Unavailable, "etcdserver: no leader", Reason::Member),
            (
                Code::Unavailable,
                "etcdserver: request timed out",
                Reason::Member,
            ),
            (
                Code::ResourceExhausted,
                "etcdserver: too many requests",
                Reason::Member,
            ),
            (
                Code::ResourceExhausted,
                "etcdserver: mvcc: database space exceeded",
                Reason::Space,
            ),
            (
                Code::Unauthenticated,
                "etcdserver: invalid auth token",
                Reason::Credentials,
            ),
            (
                Code::Unknown,
                "etcdserver: invalid auth token",
                Reason::Credentials,
            ),
            (
                Code::PermissionDenied,
                "etcdserver: permission denied",
                Reason::Denied,
            ),
            (
                Code::InvalidArgument,
                "etcdserver: revision of auth store is old",
                Reason::Credentials,
            ),
            (
                Code::InvalidArgument,
                "etcdserver: user name is empty",
                Reason::Credentials,
            ),
            (
                Code::InvalidArgument,
                "etcdserver: request is too large",
                Reason::Refused,
            ),
            (
                Code::NotFound,
                "etcdserver: requested lease not found",
                Reason::Lease,
            ),
            (
                Code::OutOfRange,
                "Error, decoded message length too large: found 9 bytes, the limit is: 8 bytes",
                Reason::Size,
            ),
            (
                Code::OutOfRange,
                "etcdserver: mvcc: required revision has been compacted",
                Reason::History,
            ),
        ] {
            let failure = Failure::from(Error::GRpcStatus(Status::new(code, text)));
            assert_eq!(failure.reason, reason, "{text}");
            assert!(failure.to_string().contains(text));
        }
    }

    #[test]
    fn a_watch_ends_for_reasons_that_are_told_apart() {
        for (text, reason) in [
            (
                "rpc error: code = PermissionDenied desc = etcdserver: permission denied",
                Reason::Denied,
            ),
            ("etcdserver: invalid auth token", Reason::Credentials),
            ("", Reason::Member),
        ] {
            assert_eq!(Failure::of_watch(text).reason, reason, "{text}");
        }
    }
}
