use std::fmt::Write as _;

use super::{
    baseline::FILE,
    comparison::{Comparison, Costs, LIMIT, Line},
    toolchain::Toolchain,
};

const BLESS: &str = "cargo xtask instructions --bless";

/// All scenarios, with what one operation of each costs.
pub(super) fn table(comparison: &Comparison) -> String {
    let names = comparison.lines.iter().map(|line| line.scenario.len());
    let width = names.max().unwrap_or_default();
    let mut text = format!(
        "\n{:width$} {:>10} {:>10} {:>10} {:>9} {:>10}\n",
        "instructions of one", "base", "baseline", "now", "change", "since base"
    );
    for line in &comparison.lines {
        let baseline = match line.costs {
            Costs::Both { baseline, .. } | Costs::Gone(baseline) => Some(baseline),
            Costs::New(_) => None,
        };
        let number = |cost: Option<f64>| cost.map_or("-".into(), |cost| format!("{cost:.1}"));
        let _ = writeln!(
            text,
            "{:width$} {:>10} {:>10} {:>10} {:>9} {:>10}{}",
            line.scenario,
            number(line.base),
            number(baseline),
            number(line.now()),
            line.change().map_or("-".into(), percent),
            line.change_since_base().map_or("-".into(), percent),
            mark(line),
        );
    }
    text
}

/// What is to be done, if anything.
pub(super) fn verdict(comparison: &Comparison) -> String {
    let limit = LIMIT * 100.0;
    let mut text = String::new();
    // What is over its base is not mended by blessing it.
    let grown = comparison.grown().filter(|line| !line.is_over_base());
    let mut grown = grown.peekable();
    if grown.peek().is_some() {
        let _ = writeln!(text, "\nMore than {limit} % over {FILE}:");
        grown.for_each(|line| text.push_str(&detail(line)));
        text.push_str("If that is worth it, say why, in the same commit:\n");
        let _ = writeln!(text, "$ {BLESS} --reason \"...\"");
    }
    let mut over_base = comparison.over_base().peekable();
    if over_base.peek().is_some() {
        let _ = writeln!(
            text,
            "\nWhole calls more than {limit} % over their base in {FILE}:"
        );
        over_base.for_each(|line| text.push_str(&detail_since_base(line)));
        text.push_str(
            "No --bless and no --reason changes a base: take as many instructions off the path of a call, in the same\n\
             change. To see where they go, give the scenario's file in target/gungraun/ to callgrind_annotate.\n",
        );
    }
    let mut unmatched = comparison.unmatched().peekable();
    if unmatched.peek().is_some() {
        let _ = writeln!(text, "\nNot the same scenarios as in {FILE}:");
        for line in unmatched {
            let what = match line.costs {
                Costs::Gone(_) => "is only there",
                _ => "is not there yet",
            };
            let _ = writeln!(text, "  {} {what}", line.scenario);
        }
        let _ = writeln!(text, "$ {BLESS}");
    }
    let mut shrunk = comparison.shrunk().peekable();
    if shrunk.peek().is_some() {
        let _ = writeln!(text, "\nMore than {limit} % under {FILE}:");
        shrunk.for_each(|line| text.push_str(&detail(line)));
        text.push_str("To keep it so, lower the baseline:\n");
        let _ = writeln!(text, "$ {BLESS}");
    }
    text
}

/// What else than the code may be the cause of a difference.
pub(super) fn other_causes(was: &Toolchain, is: &Toolchain) -> String {
    let differences = was.differences(is);
    if differences.is_empty() {
        return String::new();
    }
    let mut text = format!("\nA likely cause: {FILE} was counted with other tools.\n");
    for (was, is) in differences {
        let _ = writeln!(text, "  it was {was}, this is {is}");
    }
    text
}

fn mark(line: &Line) -> &'static str {
    match line.costs {
        _ if line.is_over_base() => "  over base",
        _ if line.has_grown() => "  grew",
        _ if line.has_shrunk() => "  shrank",
        Costs::Both { .. } => "",
        Costs::New(_) => "  new",
        Costs::Gone(_) => "  gone",
    }
}

fn detail(line: &Line) -> String {
    match (line.costs, line.change()) {
        (Costs::Both { baseline, now }, Some(change)) => format!(
            "  {}: {baseline:.1} -> {now:.1}, which is {:+.1} ({})\n",
            line.scenario,
            now - baseline,
            percent(change)
        ),
        _ => String::new(),
    }
}

fn detail_since_base(line: &Line) -> String {
    match (line.base, line.now(), line.change_since_base()) {
        (Some(base), Some(now), Some(change)) => format!(
            "  {}: {base:.1} -> {now:.1}, which is {:+.1} ({})\n",
            line.scenario,
            now - base,
            percent(change)
        ),
        _ => String::new(),
    }
}

fn percent(change: f64) -> String {
    format!("{:+.2} %", change * 100.0)
}

#[cfg(test)]
mod tests {
    use super::{other_causes, table, verdict};
    use crate::instructions::{
        comparison::tests::{compare, compare_with_bases},
        toolchain::Toolchain,
    };

    #[test]
    fn it_says_what_grew_by_how_much_and_how_to_own_up() {
        let was = [("calls", 1000.0), ("scan", 200.0), ("old", 5.0)];
        let comparison = compare(&was, &[("calls", 1050.0), ("scan", 180.0), ("new", 7.0)]);
        let expected = "
instructions of one base  baseline        now    change  since base
calls   -  1000.0     1050.0   +5.00 %   -  grew
scan    -  200.0      180.0  -10.00 %    -  shrank
new     -      -        7.0         -    -  new
old     -    5.0          -         -    -  gone
";
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&table(&comparison)), words(expected));
        assert_eq!(
            verdict(&comparison),
            "
More than 3 % over benches/instructions.toml:
  calls: 1000.0 -> 1050.0, which is +50.0 (+5.00 %)
If that is worth it, say why, in the same commit:
$ cargo xtask instructions --bless --reason \"...\"

Not the same scenarios as in benches/instructions.toml:
  new is not there yet
  old is only there
$ cargo xtask instructions --bless

More than 3 % under benches/instructions.toml:
  scan: 200.0 -> 180.0, which is -20.0 (-10.00 %)
To keep it so, lower the baseline:
$ cargo xtask instructions --bless
"
        );
    }

    #[test]
    fn it_says_which_whole_call_is_over_its_base_and_what_to_do() {
        let calls = [("whole_calls::a", 1050.0, 1000.0), ("scan", 90.0, 80.0)];
        let comparison = compare_with_bases(&calls);
        let table = table(&comparison);
        for (line, end) in [
            ("whole_calls::a", "+0.00 %    +5.00 %  over base"),
            ("scan", "+0.00 %   +12.50 %"),
        ] {
            let line = table.lines().find(|it| it.starts_with(line)).unwrap();
            assert!(line.ends_with(end), "{line}");
        }
        let verdict = verdict(&comparison);
        assert!(
            verdict.contains(
                "  whole_calls::a: 1000.0 -> 1050.0, which is +50.0 (+5.00 %)\nNo --bless"
            ),
            "{verdict}"
        );
        assert!(!verdict.contains("scan"), "{verdict}");
    }

    #[test]
    fn what_is_over_its_base_is_not_offered_to_be_blessed() {
        let mut grown = compare(&[("whole_calls::a", 1000.0)], &[("whole_calls::a", 1050.0)]);
        assert!(verdict(&grown).contains("--bless --reason"));
        grown.lines[0].base = Some(1000.0);
        let verdict = verdict(&grown);
        assert!(!verdict.contains("--bless --reason"), "{verdict}");
        assert!(verdict.contains("over their base"), "{verdict}");
    }

    #[test]
    fn it_says_nothing_when_nothing_is_to_be_done() {
        assert_eq!(verdict(&compare(&[("a", 100.0)], &[("a", 102.0)])), "");
    }

    #[test]
    fn other_tools_are_a_likely_cause() {
        let was = Toolchain::with_rustc("rustc 1.95.0");
        assert_eq!(other_causes(&was, &was), "");
        let text = other_causes(&was, &Toolchain::with_rustc("rustc 1.96.0"));
        assert!(
            text.contains("it was rustc 1.95.0, this is rustc 1.96.0"),
            "{text}"
        );
    }
}
