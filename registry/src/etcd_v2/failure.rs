use hyper::StatusCode;
use serde::Deserialize;
use thiserror::Error;

use super::settings::Settings;
use crate::RegistryError;
use crate::remote::tries::Outlook;

/// How much of what is not understood is repeated, in characters.
const MOST_REPEATED: usize = 200;

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
    /// There is no such key.
    Missing,
    /// The history asked for is gone, or was never there: read everything anew.
    History,
    /// The answer is larger than is taken.
    Size,
    /// What answers has no such API.
    NoApi,
    /// The key belongs to somebody else.
    Taken,
    /// It is only for those who log in.
    Login,
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

    /// What an answer says that is none of those to be hoped for.
    pub(super) fn of_answer(status: StatusCode, body: &[u8]) -> Self {
        match serde_json::from_slice::<Refusal>(body) {
            Ok(refusal) => Self::new(
                reason_of(refusal.code),
                format!(
                    "{}: {} ({})",
                    short(&refusal.message),
                    short(&refusal.cause),
                    refusal.code
                ),
            ),
            Err(_) if status == StatusCode::NOT_FOUND => {
                Self::new(Reason::NoApi, "it does not serve the API of version 2")
            }
            Err(_) if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                let text = String::from_utf8_lossy(body);
                Self::new(
                    Reason::Login,
                    format!("it answers {status}: {}", short(&text)),
                )
            }
            Err(_) => {
                let text = String::from_utf8_lossy(body);
                Self::new(
                    Reason::Member,
                    format!("it answers {status}: {}", short(&text)),
                )
            }
        }
    }

    /// Whether the same request is worth another try.
    pub(super) fn outlook(&self) -> Outlook {
        match self.reason {
            Reason::Member => Outlook::Soon,
            // It may be switched off at one of them only.
            Reason::NoApi => Outlook::Elsewhere,
            Reason::Missing
            | Reason::History
            | Reason::Size
            | Reason::Taken
            | Reason::Login
            | Reason::Refused => Outlook::Hopeless,
        }
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
                "see that etcd runs there with a majority of its members, and that address and firewall are right"
            }
            Reason::NoApi => {
                "start etcd 3.4 or 3.5 with --enable-v2=true; newer ones have version 3 only, for which there is etcd://"
            }
            Reason::Size => "see who keeps so much below the key prefix, or use another prefix",
            Reason::Taken => "delete the key, or use another instance id",
            Reason::Login => {
                "let guests read and write below the key prefix, since there is no login here, as in doge"
            }
            Reason::Missing | Reason::History | Reason::Refused => "see what etcd logs about it",
        }
    }
}

/// What etcd says when it refuses.
#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "errorCode")]
    code: u32,
    #[serde(default)]
    message: String,
    #[serde(default)]
    cause: String,
}

fn reason_of(code: u32) -> Reason {
    match code {
        100 => Reason::Missing,
        110 => Reason::Login,
        // Of the raft below, or while a leader is elected.
        300 | 301 => Reason::Member,
        // The watcher was cleared, or the events at its index were.
        400 | 401 => Reason::History,
        _ => Reason::Refused,
    }
}

fn short(text: &str) -> String {
    text.chars().take(MOST_REPEATED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart() {
        for (status, body, reason) in [
            (
                404,
                r#"{"errorCode":100,"message":"Key not found","cause":"/doge","index":3}"#,
                Reason::Missing,
            ),
            (
                400,
                r#"{"errorCode":401,"message":"The event in requested index is outdated and cleared","cause":"the requested history has been cleared [1005/4]","index":2004}"#,
                Reason::History,
            ),
            (
                400,
                r#"{"errorCode":104,"message":"Not a directory","cause":"/a","index":9}"#,
                Reason::Refused,
            ),
            (
                500,
                r#"{"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: request timed out","index":9}"#,
                Reason::Member,
            ),
            (401, r#"{"errorCode":110}"#, Reason::Login),
            (401, "<html>", Reason::Login),
            (403, "", Reason::Login),
            (404, "404 page not found\n", Reason::NoApi),
            (503, "no leader", Reason::Member),
            (200, "", Reason::Member),
            (307, "[1", Reason::Member),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let failure = Failure::of_answer(status, body.as_bytes());
            assert_eq!(failure.reason, reason, "{body}");
        }
    }

    #[test]
    fn who_reads_it_is_not_told_a_novel() {
        let body = "ä".repeat(1_000_000);
        let failure = Failure::of_answer(StatusCode::BAD_GATEWAY, body.as_bytes());
        assert!(failure.to_string().chars().count() < 2 * MOST_REPEATED);
    }
}
