//! One request to etcd, on a connection of its own.
//!
//! There are few of them, some last as long as nothing happens, and none can be the first one on a connection that broke
//! long ago.

use std::error::Error;
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::failure::{Failure, Reason};

/// The largest body that is taken, in bytes: some ten thousands of instances.
const LARGEST_BODY: usize = 8 * 1024 * 1024;
/// Which change of etcd's an answer is as of.
const INDEX: &str = "x-etcd-index";

const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'_')
    .remove(b'-')
    .remove(b'~');
const PATH: &AsciiSet = &FORM.remove(b'/');

/// What is asked of a key.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    method: Method,
    target: String,
    form: String,
}

/// An answer of which the body has not come yet.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// None if it did not say.
    pub(super) index: Option<u64>,
    body: Incoming,
    /// Moves the bytes, and ends with this.
    _connection: JoinSet<()>,
}

impl Ask {
    /// Reads `key`; with what else, such as `recursive=true`.
    pub(super) fn get(key: &str, query: &str) -> Self {
        Self::of(Method::GET, key, query, String::new())
    }

    pub(super) fn put(key: &str, form: &[(&str, &str)]) -> Self {
        let fields = form
            .iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, FORM)));
        let form: Vec<String> = fields.collect();
        Self::of(Method::PUT, key, "", form.join("&"))
    }

    pub(super) fn delete(key: &str) -> Self {
        Self::of(Method::DELETE, key, "", String::new())
    }

    /// Asks the one who listens at `authority`. All until the head of the answer has to happen within `limit`.
    pub(super) async fn of_member(
        &self,
        authority: &str,
        limit: Duration,
    ) -> Result<Answer, Failure> {
        match timeout(limit, self.exchange(authority)).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::new(
                Reason::Member,
                format!("{authority} does not answer within {limit:?}"),
            )),
        }
    }

    async fn exchange(&self, authority: &str) -> Result<Answer, Failure> {
        let stream = TcpStream::connect(authority).await.map_err(|error| {
            Failure::new(
                Reason::Member,
                format!("{authority} cannot be connected to: {error}"),
            )
        })?;
        let broken = |error| broken(authority, &error);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // Whoever waits for the answer is told of an error as well.
            let _ = connection.await;
        });
        let response = sender
            .send_request(self.request(authority)?)
            .await
            .map_err(broken)?;
        let index = response.headers().get(INDEX);
        Ok(Answer {
            status: response.status(),
            index: index.and_then(|index| index.to_str().ok()?.parse().ok()),
            body: response.into_body(),
            _connection: driver,
        })
    }

    fn request(&self, authority: &str) -> Result<Request<String>, Failure> {
        Request::builder()
            .method(&self.method)
            .uri(&self.target)
            .header(HOST, authority)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(self.form.clone())
            .map_err(|error| Failure::new(Reason::Refused, error.to_string()))
    }

    fn of(method: Method, key: &str, query: &str, form: String) -> Self {
        let key = utf8_percent_encode(key, PATH);
        let mark = if query.is_empty() { "" } else { "?" };
        Self {
            method,
            target: format!("/v2/keys{key}{mark}{query}"),
            form,
        }
    }
}

impl Answer {
    /// The body, as long as it may take.
    pub(super) async fn body(self) -> Result<Bytes, Failure> {
        match Limited::new(self.body, LARGEST_BODY).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(Failure::new(
                Reason::Size,
                format!("its answer is longer than {LARGEST_BODY} bytes"),
            )),
            Err(error) => Err(broken("the member", error.as_ref())),
        }
    }
}

fn broken(authority: &str, error: &(dyn Error + 'static)) -> Failure {
    let mut text = format!("{authority} does not answer: {error}");
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    Failure::new(Reason::Member, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_encoded() {
        let ask = Ask::put(
            "/doge/rpc/hr.employee/n 1?",
            &[("value", "a:1&b"), ("ttl", "10")],
        );
        assert_eq!(ask.target, "/v2/keys/doge/rpc/hr.employee/n%201%3F");
        assert_eq!(ask.form, "value=a%3A1%26b&ttl=10");
        let ask = Ask::get("/ü", "recursive=true");
        assert_eq!(ask.target, "/v2/keys/%C3%BC?recursive=true");
    }
}
