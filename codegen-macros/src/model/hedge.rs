//! When a hedge goes out: `"20ms"`, `"p95"`.

use std::time::Duration;

use syn::LitStr;

use crate::duration;

const MEND: &str = "write a time, `\"20ms\"`, or a percentile of the method's own latency, \
                    more than 0 and less than 100, `\"p95\"`";

/// How long the first attempt has before a second one starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Hedge {
    /// So long.
    After(Duration),
    /// As long as this percentage of calls takes at most; more than 0 and less than 100.
    Percentile(f64),
}

/// When a call ends whose caller sets no time of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Timeout {
    /// After the `timeout` of the method.
    Own(Duration),
    /// After the default.
    Default,
    /// After a `timeout` that is wrong, which another error tells.
    Unknown,
}

/// What calls get without a `timeout`: `Deadline::DEFAULT_TIMEOUT` of the runtime.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

impl Hedge {
    /// Reads the hedge of a method whose calls end after `timeout`.
    ///
    /// # Errors
    ///
    /// When it is none, or comes at once or too late; the error points at the literal.
    pub(super) fn parse(literal: &LitStr, timeout: Timeout) -> syn::Result<Self> {
        let text = literal.value();
        let fail = |message| Err(syn::Error::new_spanned(literal, message));
        let Some(hedge) = read(&text) else {
            return fail(format!("`{text}` says no time for a hedge: {MEND}"));
        };
        match (hedge, timeout) {
            (Self::After(Duration::ZERO), _) => fail(
                "a hedge after no time doubles every call: \
                 give the first attempt the time that most calls take, or say `\"p95\"`"
                    .to_owned(),
            ),
            (Self::After(delay), Timeout::Own(timeout)) if delay >= timeout => fail(format!(
                "a hedge after `{text}` comes too late, as the call ends by its `timeout` before: \
                 make it shorter than that, or leave it out"
            )),
            (Self::After(delay), Timeout::Default) if delay >= DEFAULT_TIMEOUT => fail(format!(
                "a hedge after `{text}` comes too late, as a call without a `timeout` ends after 1s: \
                 make the hedge shorter than that, or give the method a longer `timeout`"
            )),
            _ => Ok(hedge),
        }
    }
}

fn read(text: &str) -> Option<Hedge> {
    match text.strip_prefix('p') {
        Some(percentage) => percentile(percentage).map(Hedge::Percentile),
        None => duration::read(text).map(Hedge::After),
    }
}

fn percentile(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let percentile: f64 = text.parse().ok()?;
    (percentile > 0.0 && percentile < 100.0).then_some(percentile)
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn parse(text: &str, timeout: Option<Duration>) -> Result<Hedge, String> {
        let literal = LitStr::new(text, Span::call_site());
        let timeout = timeout.map_or(Timeout::Default, Timeout::Own);
        Hedge::parse(&literal, timeout).map_err(|error| error.to_string())
    }

    #[test]
    fn times_and_percentiles_are_read() {
        let after = |millis| Ok(Hedge::After(Duration::from_millis(millis)));
        assert_eq!(parse("20ms", None), after(20));
        assert_eq!(
            parse("1s", Some(Duration::from_millis(1_001))),
            after(1_000)
        );
        assert_eq!(parse("p95", None), Ok(Hedge::Percentile(95.0)));
        assert_eq!(
            parse("p99.9", Some(Duration::from_millis(1))),
            Ok(Hedge::Percentile(99.9))
        );
    }

    #[test]
    fn anything_else_says_what_to_write() {
        for text in [
            "",
            "20",
            "95",
            "p",
            "p0",
            "p0.0",
            "p100",
            "p99.99999999999999999999",
            "p-5",
            "p95%",
            "p.5",
            "p95.",
            "p1e1",
            "pinf",
            "pNaN",
            "P95",
            "95p",
            "soon",
        ] {
            let error = parse(text, None).expect_err(text);
            assert!(
                error.contains("20ms") && error.contains("p95"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn a_hedge_that_is_sent_at_once_or_too_late_is_refused() {
        assert!(
            parse("0ms", None)
                .unwrap_err()
                .contains("doubles every call")
        );
        let timeout = Some(Duration::from_millis(300));
        for text in ["300ms", "1s"] {
            assert!(parse(text, timeout).unwrap_err().contains("too late"));
        }
        for text in ["1s", "2s", "5m"] {
            let error = parse(text, None).unwrap_err();
            assert!(error.contains("too late") && error.contains("longer `timeout`"));
        }
        assert!(parse("999ms", None).is_ok());
    }

    #[test]
    fn a_hedge_beside_a_timeout_that_is_wrong_is_no_second_error() {
        let literal = LitStr::new("2s", Span::call_site());
        assert!(Hedge::parse(&literal, Timeout::Unknown).is_ok());
    }
}
