/// The figure in a line of output, if the line has one: what a test says behind `figure: `, nextest's summary, and
/// libFuzzer's final statistics.
pub(super) fn figure(line: &str) -> Option<String> {
    let line = line.trim();
    if let Some(figure) = line.strip_prefix("figure: ") {
        return Some(figure.to_owned());
    }
    if let Some(statistic) = line.strip_prefix("stat::") {
        let (name, value) = statistic.split_once(':')?;
        return Some(format!("{} {}", value.trim(), name.replace('_', " ")));
    }
    let is_summary = line.starts_with("Summary [") || line.starts_with("test result: ");
    is_summary.then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn figures_are_found_in_what_tests_and_fuzzers_say() {
        for (line, expected) in [
            (
                "    figure: soak: 200000 calls, 0 failed\n",
                Some("soak: 200000 calls, 0 failed"),
            ),
            (
                "stat::number_of_executed_units: 1234567",
                Some("1234567 number of executed units"),
            ),
            ("stat::peak_rss_mb:              61", Some("61 peak rss mb")),
            (
                "     Summary [  61.2s] 3 tests run: 3 passed, 900 skipped",
                Some("Summary [  61.2s] 3 tests run: 3 passed, 900 skipped"),
            ),
            (
                "test result: ok. 3 passed; 0 failed",
                Some("test result: ok. 3 passed; 0 failed"),
            ),
            ("        PASS [   0.012s] a test with a figure: 7", None),
            ("   Compiling hr v0.1.0", None),
            ("", None),
        ] {
            assert_eq!(figure(line).as_deref(), expected, "{line:?}");
        }
    }
}
