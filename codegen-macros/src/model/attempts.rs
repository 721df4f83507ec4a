//! How many attempts a call may take: `idempotent`, `retries = 3`, `hedge = "p95"`.

use std::time::Duration;

use syn::LitInt;

use super::{Hedge, hedge::Timeout};
use crate::{errors::Errors, options::Options};

/// The cap that Kitex has; more of them is a storm in the making.
const MOST_RETRIES: u32 = 5;

/// What may be done for a call beyond its first attempt.
pub(crate) struct Attempts {
    pub(crate) idempotent: bool,
    pub(crate) retries: Option<u32>,
    pub(crate) hedge: Option<Hedge>,
}

impl Attempts {
    /// Reads the options of a method whose calls end after `timeout`, if it says so.
    pub(super) fn parse(options: &Options, timeout: Option<Duration>, errors: &mut Errors) -> Self {
        let idempotent = options.flag("idempotent", errors);
        if !idempotent {
            refuse_without_idempotent(options, errors);
        }
        let timeout = match (timeout, options.get("timeout")) {
            (Some(timeout), _) => Timeout::Own(timeout),
            (None, None) => Timeout::Default,
            (None, Some(_)) => Timeout::Unknown,
        };
        let retries = options
            .number("retries", "3", errors)
            .and_then(|number| errors.take(parse_retries(number)));
        let hedge = options
            .text("hedge", "p95", errors)
            .and_then(|text| errors.take(Hedge::parse(text, timeout)));
        Self {
            idempotent,
            retries,
            hedge,
        }
    }
}

fn refuse_without_idempotent(options: &Options, errors: &mut Errors) {
    for (name, act) in [("retries", "a retry"), ("hedge", "a hedge")] {
        let Some(option) = options.get(name) else {
            continue;
        };
        let message = format!(
            "{act} may run the method twice: \
             add `idempotent` if that is as good as once, or leave `{name}` out"
        );
        errors.at(option, message);
    }
}

fn parse_retries(number: &LitInt) -> syn::Result<u32> {
    let retries = number.base10_parse();
    match retries {
        Ok(retries) if retries <= MOST_RETRIES => Ok(retries),
        _ => {
            let message = format!(
                "`{number}` is no number of retries: \
                 write one from 0 to {MOST_RETRIES}, as more of them make an overload worse"
            );
            Err(syn::Error::new_spanned(number, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse_retries;

    #[test]
    fn retries_are_few() {
        let parse = |text| parse_retries(&syn::parse_str(text).unwrap()).ok();
        assert_eq!(parse("0"), Some(0));
        assert_eq!(parse("5"), Some(5));
        for text in ["6", "100", "99999999999"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
