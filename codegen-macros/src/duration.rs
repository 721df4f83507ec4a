//! Durations as people write them: `"300ms"`, `"1s"`, `"2m"`.

use std::time::Duration;

use syn::LitStr;

const MEND: &str =
    "write a whole number and its unit, `ms`, `s` or `m`: `\"300ms\"`, `\"1s\"`, `\"2m\"`";

/// Reads a duration that is more than zero.
///
/// # Errors
///
/// When it is not one; the error points at the literal.
pub(crate) fn parse(literal: &LitStr) -> syn::Result<Duration> {
    let text = literal.value();
    let duration = read(&text).ok_or_else(|| {
        syn::Error::new_spanned(literal, format!("`{text}` is not a duration: {MEND}"))
    })?;
    if duration.is_zero() {
        let message = "a timeout of zero fails every call: \
                       give the method some time, or leave the option out for the caller's";
        return Err(syn::Error::new_spanned(literal, message));
    }
    Ok(duration)
}

/// Reads a duration, which may be zero.
pub(crate) fn read(text: &str) -> Option<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn parse_text(text: &str) -> Result<Duration, String> {
        parse(&LitStr::new(text, Span::call_site())).map_err(|error| error.to_string())
    }

    #[test]
    fn every_unit_is_read() {
        assert_eq!(parse_text("300ms"), Ok(Duration::from_millis(300)));
        assert_eq!(parse_text("1s"), Ok(Duration::from_secs(1)));
        assert_eq!(parse_text("2m"), Ok(Duration::from_secs(120)));
    }

    #[test]
    fn anything_else_says_what_to_write() {
        let too_long = format!("{}s", u64::MAX);
        for text in [
            "", "300", "ms", "1.5s", "-1s", "1 s", "1h", "1S", "1sec", "٣s", &too_long,
        ] {
            let error = parse_text(text).expect_err(text);
            assert!(
                error.contains("is not a duration") && error.contains("300ms"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn zero_is_refused() {
        for text in ["0ms", "0s", "00m"] {
            assert!(parse_text(text).expect_err(text).contains("zero"));
        }
    }
}
